"""Rankings as one HTML file that opens from the disk, offline, and as a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reproid.datasets.data_folder import DataFolder
from reproid.files import atomic_path, write_text
from reproid.inference.rank import Ranked, RankJob
from reproid.retrieval.inspection import hardest_queries
from reproid.retrieval.pictures import thumbnail

HEAD = (
    *("query", "query_pid", "query_camid", "average_precision", "first_hit_rank"),
    *("rank", "gallery", "gallery_pid", "gallery_camid", "correct", "distance"),
)


@dataclass(frozen=True, kw_only=True)
class TrackView:
    """A tracklet with its picture."""

    tracklet_id: str
    pid: int
    camid: int
    picture: str | None
    """Data URI."""
    kind: str
    """query, right or wrong: the colour of the frame, repeated in words."""
    distance: str = ""


@dataclass(frozen=True, kw_only=True)
class QueryView:
    """One query with its first places."""

    heading: str
    query: TrackView
    places: tuple[TrackView, ...]


@dataclass(frozen=True, kw_only=True)
class RankView:
    """The page."""

    title: str
    rules: str
    summary: str
    shown: str
    table: str
    """Name of the CSV file."""
    queries: tuple[QueryView, ...]


def write_table(ranked: Ranked, path: Path) -> None:
    """Write one line per query and place, in the order of the queries. Scores are empty where a query has no match."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(_lines(ranked))


def write_page(ranked: Ranked, job: RankJob) -> None:
    """Write the page of the hardest queries; frames are put into it, small."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    write_text(job.out, environment.get_template("rank.html.jinja").render(page=_view(ranked, job)))


def _lines(ranked: Ranked) -> Iterator[tuple[object, ...]]:
    scores, tracklets, rankings = ranked.evaluation.queries, ranked.tracklets, ranked.rankings
    for row, name in enumerate(rankings.query_ids):
        query, scored = tracklets[name], bool(scores.scored[row])
        about = (f"{scores.ap[row]:.6f}", int(scores.first_hit[row])) if scored else ("", "")
        places = zip(rankings.gallery_ids[row], rankings.correct[row], rankings.distances[row], strict=True)
        for place, (other, correct, distance) in enumerate(places, start=1):
            found = tracklets[other]
            yield (
                *(name, query.pid, query.camid, *about),
                *(place, other, found.pid, found.camid, "yes" if correct else "no", f"{distance:.6f}"),
            )


def _view(ranked: Ranked, job: RankJob) -> RankView:
    evaluation = ranked.evaluation
    hardest = hardest_queries(evaluation.selection.queries.ids, evaluation.queries.ap, n=job.shown).tolist()
    scored, total = int(evaluation.queries.scored.sum()), len(evaluation.selection.queries)

    data = DataFolder(job.data)

    @cache
    def picture(tracklet_id: str) -> str | None:
        frames = ranked.tracklets[tracklet_id].frames
        return thumbnail(data, frames[len(frames) // 2])

    def track(tracklet_id: str, kind: str, distance: str = "") -> TrackView:
        tracklet = ranked.tracklets[tracklet_id]
        uri = picture(tracklet_id)
        return TrackView(
            tracklet_id=tracklet_id, pid=tracklet.pid, camid=tracklet.camid, picture=uri, kind=kind, distance=distance
        )

    def query(row: int) -> QueryView:
        rankings, scores = ranked.rankings, evaluation.queries
        places = zip(rankings.gallery_ids[row], rankings.correct[row], rankings.distances[row], strict=True)
        return QueryView(
            heading=f"average precision {100 * scores.ap[row]:.1f}, first match at rank {scores.first_hit[row]}",
            query=track(rankings.query_ids[row], "query"),
            places=tuple(track(name, "right" if right else "wrong", f"{distance:.3f}") for name, right, distance in places),
        )

    summary = f"mAP {100 * evaluation.map:.1f}, rank-1 {100 * evaluation.rank(1):.1f}, {scored:,} queries scored"
    without = f", {total - scored:,} without a match in the gallery" if scored < total else ""
    return RankView(
        title=f"Rankings by {f'run {job.run.resolve().name}' if job.run else f'the control {job.control}'}",
        rules=evaluation.protocol.summary,
        summary=f"{summary}{without}; {len(evaluation.selection.gallery):,} tracklets in the gallery.",
        shown=f"{len(hardest):,} of {scored:,} queries, the hardest first: lowest average precision.",
        table=job.out.with_suffix(".csv").name,
        queries=tuple(query(row) for row in hardest),
    )
