"""Is the difference of two runs more than chance? Paired tests that keep each person's queries together, and Holm's correction.

Legend: S queries scored in both runs, N persons, M metrics, R draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reproid.errors import InputError
from reproid.retrieval.distances import Float64s
from reproid.retrieval.intervals import by_person, draw_persons
from reproid.retrieval.results import QueryTable
from reproid.retrieval.tracklets import Ints, Strings
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
    return differences_from(a, [b], draws=draws, seed=seed)[0]


def differences_from(
    a: Sequence[QueryTable], others: Sequence[Sequence[QueryTable]], *, draws: int = 10_000, seed: int = 0
) -> tuple[tuple[Difference, ...], ...]:
    """Compare several runs with one, each as `paired_differences` does; what they share is drawn once.

    Args:
        a: the one, such as a table's baseline: one table per seed.
        others: the others.
        draws: R, resamples and permutations.
        seed: of the draws.
    """
    pairs = [_pair(_mean_over_seeds(a), _mean_over_seeds(b)) for b in others]
    found: dict[int, tuple[Difference, ...]] = {}
    same: dict[bytes, list[int]] = {}
    for place, pair in enumerate(pairs):
        same.setdefault(pair.pids.tobytes(), []).append(place)
    for places in same.values():
        for place, differences in zip(places, _tested([pairs[i] for i in places], draws, seed), strict=True):
            found[place] = differences
    return tuple(found[place] for place in range(len(pairs)))


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


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """The queries that two runs score."""

    names: list[str]
    a: Float64s
    b: Float64s
    """[S, M]"""
    pids: Ints


def _pair(a: "_Queries", b: "_Queries") -> _Pair:
    _, in_a, in_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    if len(in_a) == 0:
        got = f"{a.ids[0]} and {b.ids[0]}"
        raise InputError("the two runs share no scored query", expected="the same data set and split", got=got)
    if not np.array_equal(a.pids[in_a], b.pids[in_b]):
        raise InputError("the two runs disagree about the queries' persons", fix="Evaluate both on the same index")
    return _Pair(names=a.names, a=a.values[in_a], b=b.values[in_b], pids=a.pids[in_a])


def _tested(pairs: Sequence[_Pair], draws: int, seed: int) -> list[tuple[Difference, ...]]:
    """Return the differences of pairs with equal pids: their columns are drawn for side by side."""
    persons = by_person(np.concatenate([pair.b - pair.a for pair in pairs], axis=1), pairs[0].pids)
    resampled = _resampled(persons.sums, persons.queries, np.random.default_rng(derive_seed(seed, "bootstrap", "pair")), draws)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    p_bootstrap = np.minimum(1, 2 * (1 + np.minimum((resampled <= 0).sum(axis=0), (resampled >= 0).sum(axis=0))) / (draws + 1))
    p_permutation = _sign_flip_p(persons.sums, np.random.default_rng(derive_seed(seed, "bootstrap", "permutation")), draws)
    size = len(pairs[0].names)

    def difference(pair: _Pair, m: int, column: int) -> Difference:
        return Difference(
            metric=pair.names[m],
            a=float(pair.a[:, m].mean()),
            b=float(pair.b[:, m].mean()),
            difference=float(persons.means[column]),
            ci95=(float(low[column]), float(high[column])),
            p_permutation=float(p_permutation[column]),
            p_bootstrap=float(p_bootstrap[column]),
            queries=len(pair.pids),
            persons=len(persons.pids),
        )

    return [tuple(difference(pair, m, place * size + m) for m in range(size)) for place, pair in enumerate(pairs)]


@dataclass(frozen=True, kw_only=True)
class _Queries:
    """The queries that all seeds of a run score, by id; values averaged over the seeds."""

    names: list[str]
    values: Float64s
    """[S, M]"""
    pids: Ints
    ids: Strings


def _mean_over_seeds(tables: Sequence[QueryTable]) -> _Queries:
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
    return _Queries(names=tables[0].metrics[0], values=np.mean(values, axis=0), pids=pids, ids=ids)


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
