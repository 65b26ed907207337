"""What a run ranks, to look at: galleries with the right and the wrong places, distances, pairs of cameras."""

from collections.abc import Mapping
from dataclasses import dataclass

from reproid.report.figures import Chart, Line, line_chart
from reproid.report.inspections import CameraPairs, DistanceHistogram, Inspection, QueryGallery, may_show, pictures
from reproid.report.model import Report, RunRecord
from reproid.report.pages._parts import Link, Value, points, run_href
from reproid.report.text import number, page_name, plural

SHADES = 5
"""Steps of the camera matrix's shading; the number is in every cell."""


@dataclass(frozen=True, kw_only=True)
class PictureView:
    """A tracklet in a gallery."""

    tracklet_id: str
    picture: str | None
    """Data URI."""
    kind: str
    """query, right or wrong: the frame's colour, repeated in words."""


@dataclass(frozen=True, kw_only=True)
class GalleryView:
    """One query and its first places."""

    title: str
    facts: str
    query: PictureView
    places: tuple[PictureView, ...]


@dataclass(frozen=True, kw_only=True)
class PairView:
    """Rank-1 of one pair of cameras."""

    value: Value | None
    """None where no query has a match there."""
    queries: str
    shade: int


@dataclass(frozen=True, kw_only=True)
class InspectionView:
    """The page."""

    run: Link
    title: str
    protocol: Link
    drawn: tuple[GalleryView, ...]
    hardest: tuple[GalleryView, ...]
    hidden: str
    """Why there are no pictures; empty where there are."""
    distances: Chart | None
    overlap: str
    cameras: tuple[str, ...]
    pairs: tuple[tuple[str, tuple[PairView, ...]], ...]
    """(query camera, its cells)."""


def inspection_path(run_id: str) -> str:
    """Return the page's path below the report's folder."""
    return f"runs/{page_name('run', run_id + '-rankings')}"


def inspection_view(report: Report, record: RunRecord, inspection: Inspection) -> InspectionView:
    """Return the page of what a run ranks."""
    run, catalog = record.run, report.catalog
    shown = pictures(report, run.dataset, inspection.tracklets())
    cameras = tuple(f"camera {camera + 1}" for camera in inspection.camera_pairs.cameras)
    return InspectionView(
        run=Link(text=run.run_id, href=run_href(run.run_id)),
        title=f"{catalog.methods[run.settings.method].title} on {catalog.datasets[run.dataset].title}",
        protocol=Link(text=inspection.protocol, href=f"../protocols.html#{inspection.protocol}"),
        drawn=tuple(_gallery(gallery, shown) for gallery in inspection.drawn),
        hardest=tuple(_gallery(gallery, shown) for gallery in inspection.hardest),
        hidden="" if shown else _hidden(report, run.dataset),
        distances=_chart(inspection.distances),
        overlap=_overlap(inspection.distances),
        cameras=cameras,
        pairs=tuple(zip(cameras, _pairs(inspection.camera_pairs), strict=True)),
    )


def _hidden(report: Report, dataset: str) -> str:
    title = report.catalog.datasets[dataset].title
    if may_show(report, dataset):
        return f"The frames of {title} are not on the machine that made this page."
    return f"Frames of {title} must not be published, so this page shows none: reproid report --frames-of {dataset} does."


def _gallery(gallery: QueryGallery, shown: Mapping[str, str]) -> GalleryView:
    def picture(tracklet: str, kind: str) -> PictureView:
        return PictureView(tracklet_id=tracklet, picture=shown.get(tracklet), kind=kind)

    matches, rank = plural(gallery.positives, "match", "matches"), number(gallery.first_hit_rank, 0)
    return GalleryView(
        title=gallery.query_id,
        facts=f"person {gallery.pid}, camera {gallery.camid + 1}; first of {matches} at rank {rank}; "
        f"average precision {points(gallery.ap).text}",
        query=picture(gallery.query_id, "query"),
        places=tuple(picture(place.tracklet_id, "right" if place.correct else "wrong") for place in gallery.places),
    )


def _chart(histogram: DistanceHistogram) -> Chart | None:
    centres = [(low + high) / 2 for low, high in zip(histogram.edges, histogram.edges[1:], strict=False)]
    kinds = (("same person", histogram.same), ("different persons", histogram.different))
    lines = tuple(
        Line(label=label, points=tuple((x, 100 * count / sum(counts)) for x, count in zip(centres, counts, strict=True)))
        for label, counts in kinds
        if sum(counts)
    )
    alt = f"Share of pairs by distance. {_overlap(histogram)}"
    return line_chart("Share of pairs, %", lines, alt=alt, x_label="distance", y_range=None, x_whole=False)


def _overlap(histogram: DistanceHistogram) -> str:
    """Return what share of the two histograms' areas lies under both."""
    same, different = sum(histogram.same), sum(histogram.different)
    if not same or not different:
        return ""
    shared = sum(min(a / same, b / different) for a, b in zip(histogram.same, histogram.different, strict=True))
    return (
        f"{number(100 * shared)} % of the two areas overlap; {number(same, 0)} pairs of one person, "
        f"{number(different, 0)} drawn pairs of two."
    )


def _pairs(pairs: CameraPairs) -> tuple[tuple[PairView, ...], ...]:
    return tuple(
        tuple(
            PairView(
                value=points(value) if value is not None else None,
                queries=plural(queries, "query", "queries"),
                shade=min(SHADES - 1, int(value * SHADES)) if value is not None else 0,
            )
            for value, queries in zip(values, counts, strict=True)
        )
        for values, counts in zip(pairs.rank1, pairs.queries, strict=True)
    )
