"""Reading what is scored: embeddings or distances in .npz files, checked array by array. No pickles."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reproid.catalog.protocols import Protocol
from reproid.errors import InputError
from reproid.files import read_json
from reproid.retrieval._npz import Arrays
from reproid.retrieval.distances import Distances, EmbeddingDistances, Float32s, Floats, MatrixDistances
from reproid.retrieval.rerank import RerankedDistances, Reranking
from reproid.retrieval.splits import parse_split
from reproid.retrieval.tracklets import Ints, Selection, Tracklets

ROWS_PER_CHECK = 4096


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """How the file was made; None where the file does not say."""

    sampling: str | None = None
    pooling: str | None = None
    frames_per_clip: int | None = None
    distance: str | None = None
    """For distances: cosine, euclidean or another name."""
    dataset: str | None = None
    split: str | None = None
    """``<index>`` or ``<split set>/<index>``."""
    seed: int | None = None
    run_id: str | None = None
    """The run whose weights made the embeddings."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingFile:
    """One embedding per tracklet."""

    path: Path
    embeddings: Float32s
    """[n, D]."""
    tracklets: Tracklets
    """[n] labels, ``is_query`` among them."""
    is_gallery: npt.NDArray[np.bool_]
    """[n] what the data set marks as gallery."""
    made: MadeWith

    def sides(self, protocol: Protocol) -> tuple[Ints, Ints]:
        """Return the rows of the queries and of the gallery, before the rules that depend on labels."""
        is_query = self.tracklets.is_query
        assert is_query is not None
        in_gallery = self.is_gallery | is_query if protocol.gallery == "with-queries" else self.is_gallery
        return np.flatnonzero(is_query), np.flatnonzero(in_gallery)

    def labels(self, protocol: Protocol) -> tuple[Tracklets, Tracklets]:
        """Return the labels of queries and gallery."""
        query_rows, gallery_rows = self.sides(protocol)
        return self.tracklets.take(query_rows), self.tracklets.take(gallery_rows)

    def distances(self, selection: Selection, protocol: Protocol, reranking: Reranking | None = None) -> Distances:
        """Return the distances of a selection.

        Raises:
            InputError: if an embedding is zero and the protocol compares directions; names its row.
        """
        query_rows, gallery_rows = self.sides(protocol)
        rows = query_rows[selection.query_rows], gallery_rows[selection.gallery_rows]
        queries, gallery = (_rows(self.embeddings, side) for side in rows)
        if protocol.distance == "cosine":
            for side, embeddings in zip(rows, (queries, gallery), strict=True):
                zero = first_row(embeddings, lambda part: np.logical_not(part.any(axis=1)))
                if zero is not None:
                    where = f"{self.path}, array embeddings, row {side[zero]}"
                    raise InputError("the cosine distance of a zero vector is undefined", where=where)
        if reranking is not None:
            return RerankedDistances(queries, gallery, protocol.distance, settings=reranking)
        return EmbeddingDistances(queries, gallery, protocol.distance)


@dataclass(frozen=True, kw_only=True)
class DistanceFile:
    """Distances of all queries to all gallery tracklets."""

    path: Path
    values: Floats
    """[q, g]."""
    queries: Tracklets
    gallery: Tracklets
    made: MadeWith

    def labels(self, protocol: Protocol) -> tuple[Tracklets, Tracklets]:
        """Return the labels of queries and gallery; which tracklets the gallery holds was settled where the file was made."""
        return self.queries, self.gallery

    def distances(self, selection: Selection, protocol: Protocol, reranking: Reranking | None = None) -> Distances:
        """Return the distances of a selection.

        Raises:
            InputError: if re-ranking is asked for, which needs distances within the queries and within the gallery too.
        """
        if reranking is not None:
            raise InputError("re-ranking needs embeddings", where=self.path, got="distances of queries to the gallery alone")
        return MatrixDistances(self.values, selection.query_rows, selection.gallery_rows, where=self.path)


def read_embeddings(path: Path | str) -> EmbeddingFile:
    """Read an embeddings file.

    Args:
        path: .npz with embeddings f32[n, D], tracklet_ids, pids, camids, n_frames, is_query, is_gallery [n]; 0-d sampling and
            pooling (text), frames_per_clip (integer); optional 0-d dataset, split, seed.

    Raises:
        InputError: names the file and the array or row that is wrong.
    """
    reader = Arrays.open(path)
    embeddings = reader.array("embeddings", "f", 2)
    n = len(embeddings)
    with np.errstate(over="ignore"):
        embeddings = embeddings.astype(np.float32, copy=False)
    row = first_row(embeddings, lambda rows: np.logical_not(np.isfinite(rows).all(axis=1)))
    if row is not None:
        value = embeddings[row][~np.isfinite(embeddings[row])][0]
        raise InputError("embeddings must be finite", where=f"{path}, array embeddings, row {row}", got=value)
    tracklets = Tracklets(
        ids=reader.array("tracklet_ids", "U", 1, n),
        pids=reader.integers("pids", n),
        camids=reader.integers("camids", n),
        n_frames=reader.integers("n_frames", n),
        is_query=reader.array("is_query", "b", 1, n),
    )
    is_gallery = reader.array("is_gallery", "b", 1, n)
    for name in ("sampling", "pooling", "frames_per_clip"):
        reader.require(name)
    return EmbeddingFile(
        path=Path(path),
        embeddings=embeddings,
        tracklets=tracklets,
        is_gallery=is_gallery,
        made=_made_with(reader),
    )


def read_distances(path: Path | str) -> DistanceFile:
    """Read a distances file.

    Args:
        path: .npz with distances f32 or f64 [q, g], q_pids, q_camids [q], g_pids, g_camids [g]; optional q_n_frames,
            g_n_frames, g_is_query, q_ids, g_ids and 0-d distance, sampling, pooling, frames_per_clip, dataset, split, seed.
            Whether the values are finite is checked while they are read.

    Raises:
        InputError: names the file and the array that is wrong.
    """
    reader = Arrays.open(path)
    values = reader.array("distances", "f", 2)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    sides = [
        Tracklets(
            ids=reader.array(f"{side}_ids", "U", 1, n) if f"{side}_ids" in reader.arrays else np.arange(n).astype(str),
            pids=reader.integers(f"{side}_pids", n),
            camids=reader.integers(f"{side}_camids", n),
            n_frames=reader.integers(f"{side}_n_frames", n) if f"{side}_n_frames" in reader.arrays else None,
            is_query=reader.array("g_is_query", "b", 1, n) if side == "g" and "g_is_query" in reader.arrays else None,
        )
        for side, n in zip("qg", values.shape, strict=True)
    ]
    return DistanceFile(path=Path(path), values=values, queries=sides[0], gallery=sides[1], made=_made_with(reader))


def with_run(made: MadeWith, path: Path) -> MadeWith:
    """Return ``made`` completed, where the file does not say, by data set, split, seed and id of the run that it belongs to.

    They come from run.json, two folders up: results/runs/<dataset>/<run id>/embeddings/<sampling>.npz.
    """
    run = path.resolve().parent.parent / "run.json"
    if path.resolve().parent.name != "embeddings" or not run.is_file():
        return made
    content = read_json(run)
    known = {key: content.get(key) for key in ("dataset", "split", "seed", "run_id")} if isinstance(content, dict) else {}
    return replace(made, **{key: value for key, value in known.items() if getattr(made, key) is None})


def check_made_with(made: MadeWith, protocol: Protocol, *, where: object) -> None:
    """Refuse a file that was made otherwise than ``protocol`` demands; what the file does not say is not refused.

    Raises:
        InputError: names the file, what the protocol demands and what the file holds.
    """
    demanded: tuple[tuple[str, Any, Any], ...] = (
        ("sampling", protocol.sampling, made.sampling),
        ("pooling", protocol.pooling, made.pooling),
        ("frames_per_clip", protocol.frames_per_clip, made.frames_per_clip),
        ("distance", protocol.distance, made.distance),
    )
    for name, expected, got in demanded:
        if expected is not None and got is not None and expected != got:
            raise InputError(
                f"made with another {name} than protocol {protocol.name} demands",
                where=where,
                expected=expected,
                got=got,
                fix="Make the file again, or choose another protocol",
            )
    only = protocol.splits.only
    if only is not None and made.split is not None and parse_split(made.split).index != only:
        raise InputError(f"protocol {protocol.name} scores one split", where=where, expected=f"split {only}", got=made.split)


def first_row(embeddings: Float32s, is_wrong: Callable[[Float32s], Any]) -> int | None:
    """Return the first row that ``is_wrong`` says of rows [n, D], asked for a few thousand at a time; None if there is none."""
    for start in range(0, len(embeddings), ROWS_PER_CHECK):
        wrong = is_wrong(embeddings[start : start + ROWS_PER_CHECK])
        if wrong.any():
            return start + int(np.argmax(wrong))
    return None


def _rows(embeddings: Float32s, rows: Ints) -> Float32s:
    """Return rows of the embeddings; a view where they are consecutive, so that a large gallery is not held twice."""
    return embeddings[rows[0] : rows[-1] + 1] if rows[-1] - rows[0] == len(rows) - 1 else embeddings[rows]


def _made_with(reader: Arrays) -> MadeWith:
    split = reader.scalar("split", "Uiu")
    return MadeWith(
        sampling=reader.scalar("sampling", "U"),
        pooling=reader.scalar("pooling", "U"),
        frames_per_clip=reader.scalar("frames_per_clip", "iu"),
        distance=reader.scalar("distance", "U"),
        dataset=reader.scalar("dataset", "U"),
        split=None if split is None else str(split),
        seed=reader.scalar("seed", "iu"),
        run_id=reader.scalar("run_id", "U"),
    )
