"""Is the difference of two runs more than chance? Paired tests that keep each person's queries together, and Holm's correction.

Legend: S queries scored in both runs, N persons, M metrics, R draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reproid.errors import InputError
from reproid.retrieval.distances import Float64s
from reproid.retrieval.intervals import by_person, draw_persons, percentile_intervals
from reproid.retrieval.results import QueryTable
from reproid.retrieval.tracklets import Ints
from reproid.seeds import derive_seed

DRAWS_PER_STEP = 500


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of run B minus that of run A, on the queries that both score. Fractions."""

    metric: str
    a: float
    b: float
    difference: float
    ci95: tuple[float, float]
    """Paired bootstrap over persons."""
    p_permutation: float
    """Two-sided: chance of a difference at least as large if, for each person, A and B could be swapped."""
    p_bootstrap: float
    """Two-sided: twice the smaller share of resamples on one side of zero; at least 2 / (R + 1)."""
    queries: int
    persons: int


def paired_differences(
    a: Sequence[QueryTable], b: Sequence[QueryTable], *, draws: int = 10_000, seed: int = 0
) -> tuple[Difference, ...]:
    """Compare two runs query by query.

    Args:
        a: the run's queries, one table per seed; each query's values are averaged over the seeds first.
        b: the other run's.
        draws: R, resamples and permutations.
        seed: of the draws.

    Returns:
        One difference per metric: map, minp, rank1, rank5, rank10, rank20.

    Raises:
        InputError: if the two share no query, or a query has two persons.
    """
    names, first, first_pids, ids = _mean_over_seeds(a)
    _, second, second_pids, other_ids = _mean_over_seeds(b)
    _, in_first, in_second = np.intersect1d(ids, other_ids, return_indices=True)
    if len(in_first) == 0:
        raise InputError(
            "the two runs share no scored query", expected="the same data set and split", got=f"{ids[0]} and {other_ids[0]}"
        )
    if not np.array_equal(first_pids[in_first], second_pids[in_second]):
        raise InputError("the two runs disagree about the queries' persons", fix="Evaluate both on the same index")
    x, y, pids = first[in_first], second[in_second], first_pids[in_first]
    persons = by_person(y - x, pids)
    resampled = _resampled(persons.sums, persons.queries, np.random.default_rng(derive_seed(seed, "bootstrap", "pair")), draws)
    intervals = percentile_intervals(resampled, names)
    p_bootstrap = np.minimum(1, 2 * (1 + np.minimum((resampled <= 0).sum(axis=0), (resampled >= 0).sum(axis=0))) / (draws + 1))
    p_permutation = _sign_flip_p(persons.sums, np.random.default_rng(derive_seed(seed, "bootstrap", "permutation")), draws)
    return tuple(
        Difference(
            metric=name,
            a=float(x[:, m].mean()),
            b=float(y[:, m].mean()),
            difference=float(persons.means[m]),
            ci95=intervals[name],
            p_permutation=float(p_permutation[m]),
            p_bootstrap=float(p_bootstrap[m]),
            queries=len(pids),
            persons=len(persons.pids),
        )
        for m, name in enumerate(names)
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted for their number, so that the chance of any false one stays below the level.

    Holm (1979): the i-th smallest of m is multiplied by m - i + 1 and is at least as large as those before it; at most 1.

    Args:
        p_values: of all comparisons within one table, 0-1.

    Raises:
        InputError: if one is not within 0-1.
    """
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("p-values must be within 0-1", got=list(p_values))
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    adjusted = np.empty(len(p))
    adjusted[order] = stepped
    return tuple(adjusted.tolist())


def _mean_over_seeds(tables: Sequence[QueryTable]) -> tuple[list[str], Float64s, Ints, np.ndarray]:
    """Return metric names, values [S, M] averaged over the tables, pids [S] and ids [S], of the queries that all tables score."""
    shared = tables[0].ids
    for table in tables[1:]:
        shared = np.intersect1d(shared, table.ids)
    if len(shared) == 0:
        raise InputError("the seeds of a run share no scored query", got=f"{len(tables)} tables")
    values = []
    for table in tables:
        places = np.argsort(table.ids, kind="stable")
        places = places[np.searchsorted(table.ids[places], np.sort(shared))]
        values.append(table.metrics[1][places])
        pids, ids = table.pids[places], table.ids[places]
    return tables[0].metrics[0], np.mean(values, axis=0), pids, ids


def _resampled(sums: Float64s, queries: Float64s, generator: np.random.Generator, draws: int) -> Float64s:
    parts = [weights @ sums / (weights @ queries)[:, None] for weights in draw_persons(len(queries), generator, draws)]
    return np.concatenate(parts)


def _sign_flip_p(sums: Float64s, generator: np.random.Generator, draws: int) -> Float64s:
    """Return p-values [M] of the permutation test; the observed order counts as one of the draws (Phipson & Smyth, 2010)."""
    observed, at_least = np.abs(sums.sum(axis=0)), np.zeros(sums.shape[1])
    for start in range(0, draws, DRAWS_PER_STEP):
        signs = 2.0 * generator.integers(0, 2, (min(DRAWS_PER_STEP, draws - start), len(sums))) - 1
        # Sums of multiples of 2^-36 are exact, so that a swap that changes nothing counts as equal.
        at_least += (np.abs(signs @ sums) >= observed).sum(axis=0)
    return np.asarray((1 + at_least) / (1 + draws))
