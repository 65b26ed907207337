"""Figures of a run: what its method decides over frames and blocks, a t-SNE of its descriptors, clips with its maps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reproid.report.figures import Chart, Line, line_chart
from reproid.report.inspections import may_show
from reproid.report.model import Report, RunRecord
from reproid.report.run_figures import ExampleClip, FrameMap, Point, RunFigures, find_figures
from reproid.report.text import number, plural, short_float

SIDE, MARGIN = 320.0, 12.0
"""Of a t-SNE, in the units of its drawing."""
_SHAPES = ("circle", "square", "triangle")
_SHADES = 4
_STRONGEST = 0.9
_SERIES = re.compile(r"(.+)_(\w+)_(\d+)")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One tracklet in a t-SNE."""

    x: str
    y: str
    shape: str
    """Together with the shade, one person."""
    shade: int
    title: str


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """A t-SNE."""

    alt: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A part of a map: a rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int
    tone: str
    """picked, above or below: its colour."""
    strength: str
    """Opacity."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A map of one frame."""

    alt: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class ShownFrame:
    """One frame: its picture under the masks, and its heat maps."""

    picture: str
    masks: tuple[Layer, ...]
    heats: tuple[Layer, ...]
    caption: str


@dataclass(frozen=True, kw_only=True)
class ShownClip:
    """One clip."""

    title: str
    width: int
    height: int
    frames: tuple[ShownFrame, ...]


@dataclass(frozen=True, kw_only=True)
class FiguresView:
    """All that is drawn of a run."""

    basis: str
    charts: tuple[Chart, ...]
    scatter: Scatter | None
    clips: tuple[ShownClip, ...]
    hidden: bool
    """There are clips, which may not be shown."""


def figures_view(report: Report, record: RunRecord) -> FiguresView | None:
    """Return what is drawn of a run; None where there is nothing."""
    found = find_figures(report, record)
    if found is None:
        return None
    shown = may_show(report, record.run.dataset)
    cost = f"; a test clip costs {number(found.gmacs, 3)} GMACs at these shares" if found.gmacs and found.means else ""
    return FiguresView(
        basis=f"Means over {plural(found.clips, 'test clip')}{cost}.",
        charts=series_charts(found),
        scatter=scatter(found.points),
        clips=shown_clips(found.examples) if shown else (),
        hidden=bool(found.examples) and not shown,
    )


def series_charts(found: RunFigures) -> tuple[Chart, ...]:
    """Return a chart per series of means: kept_frame_1, kept_frame_2 ... are "kept" over the frame."""
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for name, value in found.means.items():
        match = _SERIES.fullmatch(name)
        if match:
            series.setdefault((match[1], match[2]), []).append((float(match[3]), value))
    charts = (_series_chart(name, over, sorted(points)) for (name, over), points in series.items())
    return tuple(chart for chart in charts if chart is not None)


def _series_chart(name: str, over: str, points: list[tuple[float, float]]) -> Chart | None:
    words = name.replace("_", " ")
    ends = f"{short_float(points[0][1])} at {over} {points[0][0]:.0f}, {short_float(points[-1][1])} at {over} {points[-1][0]:.0f}"
    shares = all(0 <= value <= 1 for _, value in points)
    return line_chart(
        f"{words}, share of all" if shares else words,
        (Line(label=words, points=tuple(points)),),
        alt=f"{words} over the {over}: {ends}.",
        x_label=over,
        y_range=(0, 1) if shares else None,
    )


def scatter(points: tuple[Point, ...]) -> Scatter | None:
    """Return a t-SNE as marks: each person a colour and a shape of its own, as far as these go."""
    if len(points) < 2:
        return None
    persons = sorted({point.pid for point in points})
    xs, ys = [point.x for point in points], [point.y for point in points]
    span = max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0
    scale = (SIDE - 2 * MARGIN) / span

    def place(value: float, low: float, high: float) -> str:
        return f"{SIDE / 2 + scale * (value - (low + high) / 2):.1f}"

    marks = []
    for point in points:
        at = persons.index(point.pid)
        marks.append(
            Mark(
                x=place(point.x, min(xs), max(xs)),
                y=place(point.y, min(ys), max(ys)),
                shape=_SHAPES[at // _SHADES % len(_SHAPES)],
                shade=at % _SHADES + 1,
                title=f"person {point.pid}, camera {point.camid}, tracklet {point.tracklet_id}",
            )
        )
    alt = f"t-SNE of {plural(len(points), 'descriptor')} of {plural(len(persons), 'person')}, one mark per tracklet."
    return Scatter(alt=alt, marks=tuple(marks))


def shown_clips(examples: Iterable[ExampleClip], names: tuple[str, ...] | None = None) -> tuple[ShownClip, ...]:
    """Return clips with their maps.

    Args:
        examples: as written.
        names: of the maps to draw; None: all.
    """
    return tuple(_clip(example, names) for example in examples)


def _clip(example: ExampleClip, names: tuple[str, ...] | None) -> ShownClip:
    maps = {name: found for name, found in example.maps.items() if names is None or name in names}
    frames = []
    for t, picture in enumerate(example.frames):
        masks = {name: found for name, found in maps.items() if found.kind == "mask"}
        heats = {name: found for name, found in maps.items() if found.kind == "heat"}
        counts = [f"{sum(found.values[t]):.0f} of {found.rows * found.columns} {name}" for name, found in masks.items()]
        frames.append(
            ShownFrame(
                picture=f"data:image/jpeg;base64,{picture}",
                masks=tuple(_layer(f"{name}, frame {t + 1}", found, t, example) for name, found in masks.items()),
                heats=tuple(_layer(f"{name}, frame {t + 1}", found, t, example) for name, found in heats.items()),
                caption="; ".join([f"frame {t + 1}", *counts]),
            )
        )
    title = f"{example.tracklet_id}, clip {example.clip + 1}"
    return ShownClip(title=title, width=example.width, height=example.height, frames=tuple(frames))


def _layer(alt: str, found: FrameMap, t: int, example: ExampleClip) -> Layer:
    largest = max((abs(value) for frame in found.values for value in frame), default=0.0) or 1.0
    cells = []
    for at, value in enumerate(found.values[t]):
        if not value:
            continue
        row, column = divmod(at, found.columns)
        x, y = column * example.width // found.columns, row * example.height // found.rows
        tone = "picked" if found.kind == "mask" else "above" if value > 0 else "below"
        strength = 0.5 if found.kind == "mask" else _STRONGEST * abs(value) / largest
        width = (column + 1) * example.width // found.columns - x
        height = (row + 1) * example.height // found.rows - y
        cells.append(Cell(x=x, y=y, width=width, height=height, tone=tone, strength=f"{strength:.2f}"))
    return Layer(alt=alt, cells=tuple(cells))
