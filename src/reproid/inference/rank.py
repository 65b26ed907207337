"""Whom does a model take for whom? Queries ranked against a gallery, as a page of pictures and a CSV file beside it.

Torch is loaded where tracklets are described (`rank_describe`), not here.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from reproid.catalog.protocols import Protocol
from reproid.datasets._read import image_size
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import DISTRACTOR, Index, Tracklet, load_index
from reproid.errors import InputError
from reproid.retrieval.evaluation import Evaluation, Options, evaluate
from reproid.retrieval.inputs import EmbeddingFile, MadeWith
from reproid.retrieval.rankings import Rankings, top_rankings
from reproid.retrieval.tracklets import Tracklets


@dataclass(frozen=True, kw_only=True)
class RankJob:
    """What to describe by what, and where to write it."""

    index: Path
    """Folder of tracklets.parquet and splits.parquet."""
    data: Path
    """Folder that the frames' names are relative to."""
    out: Path
    """The page, .html; the CSV file has its name."""
    run: Path | None = None
    """Folder of a trained run; or else a control."""
    control: str | None = None
    """Kind of a control: histogram, random, camera or oracle."""
    halves: bool = False
    """One set: the first half of each track is looked for among the second halves."""
    any_camera: bool = False
    """Also rank tracklets of the query's person and camera, for queries and gallery of the same camera."""
    top: int = 10
    """Places per query."""
    shown: int = 50
    """Queries on the page, hardest first; the CSV file has all."""
    workers: int = 2
    """Processes that decode images."""
    threads: int = 1
    """Of torch on the CPU."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Who is looked for, and among whom."""

    queries: tuple[Tracklet, ...]
    gallery: tuple[Tracklet, ...]

    @property
    def tracklets(self) -> tuple[Tracklet, ...]:
        """All of them once: the gallery, then the queries that are not in it."""
        return tuple({tracklet.tracklet_id: tracklet for tracklet in (*self.gallery, *self.queries)}.values())


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What came out."""

    evaluation: Evaluation
    rankings: Rankings
    """Of all queries."""
    tracklets: dict[str, Tracklet]
    """By tracklet id."""


def rank(job: RankJob) -> Ranked:
    """Describe, rank, write the page and the CSV file.

    Raises:
        InputError: if the model, the index or the images do not fit, or no query has a match.
    """
    from reproid.inference.rank_describe import describe
    from reproid.inference.rank_page import write_page, write_table

    if (job.run is None) == (job.control is None):
        raise InputError("give either a run or a control", expected="--run or --control", got="both" if job.run else "neither")
    if job.out.suffix != ".html":
        raise InputError("the page needs a name in .html", where="--out", got=f"'{job.out}'")
    sides = choose_sides(load_index(job.index), job.data, halves=job.halves)
    protocol = rank_protocol(sides, halves=job.halves, any_camera=job.any_camera)
    ranked = rank_descriptors(describe(sides.tracklets, job), sides, protocol, top=job.top, where=job.index)
    write_table(ranked, job.out.with_suffix(".csv"))
    write_page(ranked, job)
    return ranked


def choose_sides(index: Index, data: Path, *, halves: bool) -> Sides:
    """Return queries and gallery of the index's first split; or all tracks of both, each split in halves (of images in ``data``).

    A track of one frame, of a distractor or of junk cannot be looked for by its other half: it stays whole, in the gallery.

    Raises:
        InputError: if a side is empty.
    """
    split = index.splits[0]
    sides = Sides(queries=index.tracklets("query", split), gallery=index.tracklets("gallery", split))
    if halves:
        whole = sides.tracklets
        parts = {tracklet.tracklet_id: _halves(tracklet, data) for tracklet in whole}
        sides = Sides(
            queries=tuple(parts[t.tracklet_id][0] for t in whole if len(parts[t.tracklet_id]) == 2),
            gallery=tuple(parts[t.tracklet_id][-1] for t in whole),
        )
    for side, tracklets in (("query", sides.queries), ("gallery", sides.gallery)):
        if not tracklets:
            expected = "tracks of persons with at least 2 frames" if halves else f"tracklets with the role {side}"
            raise InputError(f"the {side} is empty", where=f"index of {index.dataset}", expected=expected, got="none")
    return sides


def rank_protocol(sides: Sides, *, halves: bool, any_camera: bool) -> Protocol:
    """Return the rules: cosine distance; same person and camera left out, unless the sides are halves or asked for so.

    Raises:
        InputError: if a query would find itself.
    """
    if halves:
        summary = "One set: the first half of each track is looked for among the second halves, those of the same camera too."
        return Protocol(name="own-halves", revision=1, summary=summary, gallery="as-given", remove="none")
    if any_camera:
        both = sorted({t.tracklet_id for t in sides.queries} & {t.tracklet_id for t in sides.gallery})
        if both:
            fix = "Leave out --any-camera, or split the tracks by --halves"
            raise InputError("with --any-camera a query would find itself", got=f"{len(both)} on both sides: {both[0]}", fix=fix)
        summary = "Queries are looked for in the whole gallery, their own camera too."
        return Protocol(name="own-any-camera", revision=1, summary=summary, gallery="as-given", remove="none")
    summary = "Queries are looked for in the other cameras: tracklets of the same person and camera are left out."
    return Protocol(name="own-across-cameras", revision=1, summary=summary, gallery="as-given")


def rank_descriptors(embeddings: np.ndarray, sides: Sides, protocol: Protocol, *, top: int, where: Path) -> Ranked:
    """Rank by descriptors, block by block: memory holds the descriptors and one block of distances.

    Args:
        embeddings: f32 [n, D], one row per tracklet of ``sides.tracklets``.
        sides: who is looked for, and among whom.
        protocol: the rules.
        top: places to keep per query.
        where: what messages name.

    Raises:
        InputError: if no query has a match, or a descriptor is zero.
    """
    tracklets = sides.tracklets
    queries, gallery = ({tracklet.tracklet_id for tracklet in side} for side in (sides.queries, sides.gallery))
    source = EmbeddingFile(
        path=where,
        embeddings=embeddings,
        tracklets=Tracklets(
            ids=np.array([tracklet.tracklet_id for tracklet in tracklets]),
            pids=np.array([tracklet.pid for tracklet in tracklets], np.int64),
            camids=np.array([tracklet.camid for tracklet in tracklets], np.int64),
            n_frames=np.array([len(tracklet.frames) for tracklet in tracklets], np.int64),
            is_query=np.array([tracklet.tracklet_id in queries for tracklet in tracklets]),
        ),
        is_gallery=np.array([tracklet.tracklet_id in gallery for tracklet in tracklets]),
        made=MadeWith(),
    )
    with tqdm(total=len(queries), unit="query", desc="rank", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        evaluation = evaluate(source, protocol, Options(resamples=0, progress=bar.update))
    rankings = top_rankings(source, protocol, k=top)
    return Ranked(evaluation=evaluation, rankings=rankings, tracklets={t.tracklet_id: t for t in tracklets})


def _halves(tracklet: Tracklet, data: Path) -> tuple[Tracklet, ...]:
    middle = len(tracklet.frames) // 2
    if middle == 0 or tracklet.pid <= DISTRACTOR:
        return (tracklet,)
    first = replace(tracklet, tracklet_id=f"{tracklet.tracklet_id}, first half", frames=tracklet.frames[:middle])
    width, height = image_size(DataFolder(data), tracklet.frames[middle])  # the index knows that of the track's first frame alone
    second = replace(tracklet, tracklet_id=f"{tracklet.tracklet_id}, second half", frames=tracklet.frames[middle:])
    return first, replace(second, width=width, height=height)
