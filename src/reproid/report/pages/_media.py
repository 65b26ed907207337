"""Groups of pictures on a data set's page: how good the motion is under every method, and some clips to look at."""

from dataclasses import dataclass

from pydantic import Field, NonNegativeInt, RootModel

from reproid.catalog.media import plan_media
from reproid.report.inspections import may_show
from reproid.report.model import Report
from reproid.report.results import Fraction, ResultFile
from reproid.report.run_figures import BASE64
from reproid.report.text import number

BLOCK = 16


class Quality(ResultFile):
    """Of many clips under one motion method."""

    clips: NonNegativeInt
    intra: Fraction
    psnr_db: float | None
    psnr_still_db: float | None
    motion_px: float


class MediaFile(ResultFile):
    """media.json."""

    quality: Quality
    methods: dict[str, Quality]


class PFrame(ResultFile):
    """One P-frame of an example; pictures are JPEGs in base64."""

    picture: str = Field(pattern=BASE64)
    residual: str = Field(pattern=BASE64)
    motion: tuple[tuple[float, float], ...]
    valid: tuple[bool, ...]
    energy: float


class Example(ResultFile):
    """One clip of examples.json."""

    tracklet_id: str
    height: int
    width: int
    i_frame: str = Field(pattern=BASE64)
    p_frames: tuple[PFrame, ...]


class Examples(RootModel[tuple[Example, ...]]):
    """examples.json."""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A vector from a block's centre to where it came from, pixels."""

    x1: str
    y1: str
    x2: str
    y2: str
    kind: str
    """own, or filled from its neighbours."""


@dataclass(frozen=True, kw_only=True)
class FrameView:
    """A P-frame."""

    picture: str
    residual: str
    arrows: tuple[Arrow, ...]
    energy: str


@dataclass(frozen=True, kw_only=True)
class ClipView:
    """A clip."""

    tracklet_id: str
    height: int
    width: int
    i_frame: str
    frames: tuple[FrameView, ...]


@dataclass(frozen=True, kw_only=True)
class MediaView:
    """One set of encoded test clips."""

    title: str
    methods: tuple[tuple[str, ...], ...]
    """Method, clips, share of intra blocks in per cent, PSNR of the warp, PSNR of the I-frame itself, length of vectors."""
    clips: tuple[ClipView, ...]


def media_views(report: Report, dataset: str) -> tuple[MediaView, ...]:
    """Return what the planned media of a data set say, where they have been made."""
    plans = {plan.media_id: plan for record in report.runs_on(dataset) if (plan := plan_media(record.run)) is not None}
    found = []
    for plan in plans.values():
        about = report.results.read(f"{plan.folder}/media.json", MediaFile)
        if not isinstance(about, MediaFile):
            continue
        rows = [(f"{plan.method}, all clips", about.quality), *about.methods.items()]
        title = f"Clips of {plan.embed.frames} frames of {plan.width} x {plan.height} pixels, motion by {plan.method}"
        clips = _clips(report, f"{plan.folder}/examples.json") if may_show(report, dataset) else ()
        found.append(MediaView(title=title, methods=tuple(_row(name, quality) for name, quality in rows), clips=clips))
    return tuple(found)


def _row(name: str, quality: Quality) -> tuple[str, ...]:
    def decibel(value: float | None) -> str:
        return "–" if value is None else number(value, 2)

    shown = number(100 * quality.intra, 2), decibel(quality.psnr_db), decibel(quality.psnr_still_db), number(quality.motion_px, 2)
    return (name, number(quality.clips, 0), *shown)


def _clips(report: Report, path: str) -> tuple[ClipView, ...]:
    read = report.results.read(path, Examples)
    if not isinstance(read, Examples):
        return ()
    return tuple(
        ClipView(
            tracklet_id=clip.tracklet_id,
            height=clip.height,
            width=clip.width,
            i_frame=f"data:image/jpeg;base64,{clip.i_frame}",
            frames=tuple(_frame(clip, frame) for frame in clip.p_frames),
        )
        for clip in read.root
    )


def _frame(clip: Example, frame: PFrame) -> FrameView:
    columns = max(1, clip.width // BLOCK)
    arrows = []
    for block, ((dx, dy), own) in enumerate(zip(frame.motion, frame.valid, strict=False)):
        x, y = BLOCK * (block % columns) + BLOCK / 2, BLOCK * (block // columns) + BLOCK / 2
        arrows.append(Arrow(x1=f"{x:g}", y1=f"{y:g}", x2=f"{x + dx:g}", y2=f"{y + dy:g}", kind="own" if own else "filled"))
    return FrameView(
        picture=f"data:image/jpeg;base64,{frame.picture}",
        residual=f"data:image/jpeg;base64,{frame.residual}",
        arrows=tuple(arrows),
        energy=number(frame.energy),
    )
