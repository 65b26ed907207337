"""Where each query's matches stand in its ranking, by counting what comes before them; no row is ever sorted."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from reproid.retrieval.distances import Distances, Float64s, QueryBlock
from reproid.retrieval.tracklets import Bools, Ints, Selection, Strings

PAIRS_PER_BLOCK = 1 << 18
SCORED, NO_MATCH, ONLY_SAME_CAMERA = "", "no_match", "only_same_camera"


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Ranks of the matches of Q queries, in the order of the selection."""

    offsets: Ints
    """[Q + 1] the matches of query i are offsets[i]..offsets[i+1]-1."""
    ranks: Ints
    """[P] ranks, from 1, ascending for each query; tracklets that the protocol removes take no rank."""
    matches: Ints
    """[P] gallery index of the match at that rank."""
    dropped: Strings
    """[Q] why a query is not scored; empty where it is. no_match: its person is not in the gallery; only_same_camera: all
    gallery tracklets of its person were removed."""
    lengths: Ints
    """[Q] tracklets in each ranking: the gallery less what the protocol removes for the query."""

    @property
    def longest(self) -> int:
        """Length of the longest ranking."""
        return int(self.lengths.max())


def rank_matches(
    distances: Distances, selection: Selection, *, threads: int | None = None, progress: Callable[[int], object] | None = None
) -> Ranks:
    """Return the ranks of all matches, ordered by (distance, gallery index).

    Args:
        distances: of the selection's queries and gallery.
        selection: labels, and what to remove.
        threads: threads to count with; by default, one per usable core. Without influence on the result.
        progress: called with the number of queries done since the last call.

    Raises:
        InputError: if a distance is not finite; names its row.
    """
    threads = threads or usable_cores()
    persons = _Persons(selection)
    counts = persons.counts
    found: list[tuple[Ints, Ints, Ints]] = []
    lengths: list[Ints] = []
    with ThreadPoolExecutor(threads) as pool:
        for start, stop in _block_bounds(counts, distances.queries_per_block):
            block = distances.query_block(start, stop)
            owners, members, removed = persons.pairs(start, stop)
            per_query = np.bincount(owners[~removed], minlength=stop - start)
            found.append((per_query, *_rank_block(block, (owners, members, removed), stop - start, pool, threads)))
            lengths.append(len(selection.gallery) - np.bincount(owners[removed], minlength=stop - start))
            if progress is not None:
                progress(stop - start)
    kept = np.concatenate([part[0] for part in found])
    return Ranks(
        offsets=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64),
        ranks=np.concatenate([part[1] for part in found]),
        matches=np.concatenate([part[2] for part in found]),
        dropped=np.where(kept > 0, SCORED, np.where(counts == 0, NO_MATCH, ONLY_SAME_CAMERA)),
        lengths=np.concatenate(lengths),
    )


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    # Not every system can say which cores a process is bound to.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Persons:
    """The gallery grouped by person."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._order = np.argsort(selection.gallery.pids, kind="stable")
        pids = selection.gallery.pids[self._order]
        self._first = np.searchsorted(pids, selection.queries.pids, "left")
        self.counts: Ints = np.searchsorted(pids, selection.queries.pids, "right") - self._first

    def pairs(self, start: int, stop: int) -> tuple[Ints, Ints, Bools]:
        """Return (owners, members, removed) of the same-person pairs of the queries start..stop-1; owners from 0."""
        counts, first = self.counts[start:stop], self._first[start:stop]
        owners = np.repeat(np.arange(stop - start), counts)
        places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        members = self._order[first[owners] + places]
        same_camera = self._selection.queries.camids[start + owners] == self._selection.gallery.camids[members]
        return owners, members, same_camera & self._selection.remove_same_camera


def _block_bounds(counts: Ints, queries_per_block: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of blocks with few enough queries and, beyond the first, few enough same-person pairs."""
    start, pairs = 0, 0
    for i, count in enumerate(counts.tolist()):
        if i > start and (i - start == queries_per_block or pairs + count > PAIRS_PER_BLOCK):
            yield start, i
            start, pairs = i, 0
        pairs += count
    yield start, len(counts)


def _rank_block(
    block: QueryBlock, pairs: tuple[Ints, Ints, Bools], queries: int, pool: ThreadPoolExecutor, threads: int
) -> tuple[Ints, Ints]:
    """Return ranks and gallery indices [P] of the matches of one block, by (query, rank)."""
    from reproid.retrieval._kernels import count_block, subtract_pairs

    owners, members, removed = pairs
    values = block.pairs(owners, members)
    positives, order = _sorted_positives(owners, members, values, ~removed, queries)
    counts = np.zeros(len(order), np.int64)
    slices = [(queries * t // threads, queries * (t + 1) // threads) for t in range(threads)]
    for part in block.blocks():
        arguments = (part.values, part.first, part.margin, positives, block.exact, counts)
        if threads == 1:
            count_block((0, queries), *arguments)
        else:
            list(pool.map(lambda rows, rest=arguments: count_block(rows, *rest), slices))
    subtract_pairs(positives, owners[removed], members[removed], values[removed], counts)
    offsets = positives[0]
    running = np.concatenate([[0], np.cumsum(counts)])
    ranks = running[1:] - np.repeat(running[offsets[:-1]], np.diff(offsets))
    return ranks, members[order]


def _sorted_positives(
    owners: Ints, members: Ints, values: Float64s, keep: Bools, queries: int
) -> tuple[tuple[Ints, Float64s, Ints], Ints]:
    """Return the positives as the compiled loops take them, and their places among the pairs."""
    places = np.flatnonzero(keep)
    order = places[np.lexsort((members[places], values[places], owners[places]))]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners[order], minlength=queries))]).astype(np.int64)
    return (offsets, values[order], members[order]), order
