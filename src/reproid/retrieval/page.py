"""A comparison of two runs as one HTML file that opens from the disk, offline."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reproid.retrieval.compare import LEVEL, Comparison
from reproid.retrieval.describe import describe
from reproid.retrieval.rankings import Place

TITLES = {"map": "mAP", "minp": "mINP", "rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10", "rank20": "rank-20"}


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One metric, as text in points."""

    title: str
    a: str
    b: str
    difference: str
    interval: str
    p: str
    adjusted_p: str
    verdict: str
    """In words: what the corrected test says."""


@dataclass(frozen=True, kw_only=True)
class PictureView:
    """A tracklet in a gallery row."""

    tracklet_id: str
    picture: str | None
    """Data URI."""
    kind: str
    """query, right or wrong: the colour of the frame, repeated in words."""


@dataclass(frozen=True, kw_only=True)
class FlipView:
    """One query that flips."""

    heading: str
    change: str
    query: PictureView
    rows: tuple[tuple[str, tuple[PictureView, ...]], ...]
    """(run, its first places)."""


@dataclass(frozen=True, kw_only=True)
class CompareView:
    """The whole page."""

    title: str
    protocol: str
    description: str
    names: tuple[str, str]
    notes: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    summary: str
    flips: tuple[FlipView, ...]


def compare_page(
    comparison: Comparison, *, names: tuple[str, str], shown: int = 20, pictures: Mapping[str, str] | None = None
) -> str:
    """Return the page.

    Args:
        comparison: of two runs.
        names: what to call run A and run B.
        shown: how many flips, those of the largest change first.
        pictures: data URI by tracklet id, see `reproid.retrieval.pictures`.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compare.html.jinja").render(page=_view(comparison, names, shown, pictures or {}))


def _view(comparison: Comparison, names: tuple[str, str], shown: int, pictures: Mapping[str, str]) -> CompareView:
    first = comparison.differences[0]
    flips = comparison.flips[:shown]
    return CompareView(
        title=f"{names[0]} against {names[1]}",
        protocol=f"{comparison.a.protocol.name}, revision {comparison.a.protocol.revision}",
        description=describe(comparison.a.protocol),
        names=names,
        notes=_notes(comparison),
        metrics=_metric_rows(comparison),
        summary=f"{len(comparison.flips)} of {first.queries} queries ({first.persons} persons) flip at rank 1: {names[1]} gains "
        f"{comparison.gained} and loses {comparison.lost}. Shown: {len(flips)}, largest change in average precision first.",
        flips=tuple(_flip_view(comparison, place, names, pictures) for place in range(len(flips))),
    )


def _notes(comparison: Comparison) -> tuple[str, ...]:
    notes = []
    for name, result in (("A", comparison.a), ("B", comparison.b)):
        if result.reranking is not None:
            notes.append(f"Run {name} is re-ranked ({', '.join(f'{key} {value}' for key, value in result.reranking.items())}).")
        if result.counts["queries"] != result.counts["scored"]:
            notes.append(f"Run {name}: {result.counts['scored']} of {result.counts['queries']} queries are scored.")
    return tuple(notes)


def _metric_rows(comparison: Comparison) -> tuple[MetricRow, ...]:
    rows = []
    for found, adjusted in zip(comparison.differences, comparison.adjusted_p, strict=True):
        low, high = found.ci95
        rows.append(
            MetricRow(
                title=TITLES[found.metric],
                a=f"{100 * found.a:.2f}",
                b=f"{100 * found.b:.2f}",
                difference=f"{100 * found.difference:+.2f}",
                interval=f"{100 * low:+.2f} to {100 * high:+.2f}",
                p=f"{found.p_permutation:.4f}",
                adjusted_p=f"{adjusted:.4f}",
                verdict="more than chance" if adjusted <= LEVEL else "not distinguishable from chance",
            )
        )
    return tuple(rows)


def _flip_view(comparison: Comparison, place: int, names: tuple[str, str], pictures: Mapping[str, str]) -> FlipView:
    flip = comparison.flips[place]
    rankings = ((names[0], flip.ranking_a), (names[1], flip.ranking_b))
    return FlipView(
        heading=f"{'Gained' if flip.gained else 'Lost'}: {flip.query_id}, person {flip.pid}",
        change=f"First match at rank {flip.first_hit_a}, then {flip.first_hit_b}; "
        f"average precision {100 * flip.ap_a:.1f}, then {100 * flip.ap_b:.1f}.",
        query=PictureView(tracklet_id=flip.query_id, picture=pictures.get(flip.query_id), kind="query"),
        rows=tuple((name, tuple(_picture(one, pictures) for one in ranking)) for name, ranking in rankings if ranking),
    )


def _picture(place: Place, pictures: Mapping[str, str]) -> PictureView:
    kind = "right" if place.correct else "wrong"
    return PictureView(tracklet_id=place.tracklet_id, picture=pictures.get(place.tracklet_id), kind=kind)
