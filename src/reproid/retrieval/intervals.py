"""Bootstrap intervals that resample persons with all their queries.

A person's queries share its clothes and its gallery tracklets, so their scores are alike; resampling queries one by one
counts them as independent and gives intervals that are far too narrow (docs/intervals.md shows by how much).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reproid.retrieval.distances import Float64s
from reproid.retrieval.tracklets import Ints

RESAMPLES_PER_STEP = 250


@dataclass(frozen=True, kw_only=True)
class Persons:
    """Sums of per-query values over each person's queries."""

    sums: Float64s
    """[N, M] for N persons and M values."""
    queries: Float64s
    """[N] queries of each person."""

    @property
    def means(self) -> Float64s:
        """[M] means over all queries."""
        return np.asarray(self.sums.sum(axis=0) / self.queries.sum())


def by_person(values: Float64s, pids: Ints) -> Persons:
    """Return the sums of ``values`` [S, M] over the queries of each of the ``pids`` [S], in ascending order of pid."""
    order = np.argsort(pids, kind="stable")
    starts = np.flatnonzero(np.diff(pids[order], prepend=pids[order[0]] - 1))
    return Persons(
        sums=np.add.reduceat(values[order], starts, axis=0), queries=np.diff(starts, append=len(pids)).astype(np.float64)
    )


def bootstrap_means(persons: Persons, generator: np.random.Generator, *, resamples: int = 10_000) -> Float64s:
    """Return the means [resamples, M] over the queries of N persons drawn with replacement, N the number of persons.

    A resample's number of queries varies with the persons drawn, so each mean is a ratio of two sums.

    Args:
        persons: of the scored queries.
        generator: source of the draws.
        resamples: number of resamples.
    """
    n = len(persons.queries)
    # Whole numbers and float64 sums in the order of the draw: no BLAS, whose order of summation depends on its threads.
    table = np.concatenate([persons.sums, persons.queries[:, None]], axis=1)
    means = np.empty((resamples, table.shape[1] - 1))
    for start in range(0, resamples, RESAMPLES_PER_STEP):
        drawn = generator.integers(0, n, (min(RESAMPLES_PER_STEP, resamples - start), n))
        totals = table[drawn].sum(axis=1)
        means[start : start + len(drawn)] = totals[:, :-1] / totals[:, -1:]
    return means


def percentile_intervals(means: Float64s, names: list[str], *, level: float = 0.95) -> Mapping[str, tuple[float, float]]:
    """Return the central interval of each named column of ``means`` [R, M]."""
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}
