"""Bootstrap intervals that resample persons with all their queries.

A person's queries share its clothes and its gallery tracklets, so their scores are alike; resampling queries one by one
counts them as independent and gives intervals that are far too narrow (docs/intervals.md shows by how much).

Legend: N persons, M values (metrics), R resamples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reproid.retrieval.distances import Float64s
from reproid.retrieval.tracklets import Ints

RESAMPLES_PER_STEP = 500
QUANTUM = 2.0**-36


@dataclass(frozen=True, kw_only=True)
class Persons:
    """Sums of per-query values over each person's queries."""

    pids: Ints
    """[N] ascending."""
    sums: Float64s
    """[N, M], multiples of 2^-36: with them, sums of up to 2^17 queries are exact in any order of addition, so that a matrix
    product gives the same bits on any number of threads."""
    queries: Float64s
    """[N] queries of each person."""

    @property
    def means(self) -> Float64s:
        """[M] means over all queries."""
        return np.asarray(self.sums.sum(axis=0) / self.queries.sum())


def by_person(values: Float64s, pids: Ints) -> Persons:
    """Return the sums of ``values`` [S, M], each of size at most 1, over the queries of each of the ``pids`` [S]."""
    order = np.argsort(pids, kind="stable")
    starts = np.flatnonzero(np.diff(pids[order], prepend=pids[order[0]] - 1))
    rounded = np.round(values[order] / QUANTUM) * QUANTUM
    return Persons(
        pids=pids[order][starts],
        sums=np.add.reduceat(rounded, starts, axis=0),
        queries=np.diff(starts, append=len(pids)).astype(np.float64),
    )


def draw_persons(n: int, generator: np.random.Generator, resamples: int) -> Iterator[Float64s]:
    """Yield, in steps of [up to 500, n], how often each of n persons is drawn in a resample of n persons with replacement."""
    for start in range(0, resamples, RESAMPLES_PER_STEP):
        rows = min(RESAMPLES_PER_STEP, resamples - start)
        drawn = generator.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def bootstrap_means(persons: Persons, generator: np.random.Generator, *, resamples: int = 10_000) -> Float64s:
    """Return the means [R, M] over the queries of N persons drawn with replacement.

    A resample's number of queries varies with the persons drawn, so each mean is a ratio of two sums.

    Args:
        persons: of the scored queries.
        generator: source of the draws.
        resamples: R.
    """
    return bootstrap_mean_of_groups([persons], generator, resamples=resamples)


def bootstrap_mean_of_groups(groups: Sequence[Persons], generator: np.random.Generator, *, resamples: int = 10_000) -> Float64s:
    """Return the means [R, M] over groups (splits, seeds) of the means over queries, persons drawn for all groups at once.

    A person who is tested in several splits or seeds is drawn in all of them together: its scores there are alike. A group
    of which a resample holds nobody is left out of that resample's mean.

    Args:
        groups: the same persons or others, with the same pid for the same person.
        generator: source of the draws.
        resamples: R.
    """
    pids = np.unique(np.concatenate([group.pids for group in groups]))
    columns = groups[0].sums.shape[1] + 1
    table = np.zeros((len(pids), len(groups), columns))
    for place, group in enumerate(groups):
        rows = np.searchsorted(pids, group.pids)
        table[rows, place] = np.concatenate([group.sums, group.queries[:, None]], axis=1)
    parts = []
    for weights in draw_persons(len(pids), generator, resamples):
        totals = (weights @ table.reshape(len(pids), -1)).reshape(len(weights), len(groups), columns)
        held = totals[:, :, -1:] > 0
        means = np.where(held, totals[:, :, :-1] / np.maximum(totals[:, :, -1:], 1), 0.0)
        parts.append(means.sum(axis=1) / np.maximum(held.sum(axis=1), 1))
    return np.concatenate(parts)


def percentile_intervals(means: Float64s, names: Sequence[str], *, level: float = 0.95) -> Mapping[str, tuple[float, float]]:
    """Return the central interval of each named column of ``means`` [R, M]."""
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}
