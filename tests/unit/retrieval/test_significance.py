import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproid.errors import InputError
from reproid.retrieval.results import QueryTable, join_splits
from reproid.retrieval.significance import differences_from, holm, paired_differences


def table(ap, pids, ids=None) -> QueryTable:
    n = len(ap)
    ids = [f"q{i:03d}" for i in range(n)] if ids is None else ids
    zeros = np.zeros(n, np.int64)
    return QueryTable(
        ids=np.array(ids), pids=np.asarray(pids), camids=zeros, ap=np.asarray(ap, float), inp=np.asarray(ap, float),
        first_hit=zeros + 1, positives=zeros + 1,
    )  # fmt: skip


def map_difference(a, b, **options):
    return next(d for d in paired_differences([a], [b], **options) if d.metric == "map")


def test_paired_differences_permutation_p_equals_all_sign_flips() -> None:
    rng = np.random.default_rng(12)
    pids = np.repeat(np.arange(8), 3)
    a, b = rng.random(24), rng.random(24) + 0.1
    sums = np.array([(b - a)[pids == person].sum() for person in range(8)])
    flips = [abs(np.dot(signs, sums)) for signs in itertools.product([-1, 1], repeat=8)]
    exact = np.mean(np.array(flips) >= abs(sums.sum()) - 1e-12)
    found = map_difference(table(a, pids), table(b, pids), draws=20_000)
    assert found.p_permutation == pytest.approx(exact, abs=0.01)
    assert found.difference == pytest.approx((b - a).mean(), abs=1e-9)
    assert (found.queries, found.persons) == (24, 8)


def test_paired_differences_equal_runs_are_not_significant() -> None:
    a = table(np.random.default_rng(0).random(30), np.arange(30) // 3)
    found = map_difference(a, a, draws=500)
    assert (found.difference, found.ci95, found.p_permutation, found.p_bootstrap) == (0.0, (0.0, 0.0), 1.0, 1.0)


def test_paired_differences_one_lucky_person_is_not_significant() -> None:
    pids = np.repeat(np.arange(20), 6)
    b = np.where(pids == 3, 0.9, 0.5)
    found = map_difference(table(np.full(120, 0.5), pids), table(b, pids), draws=2000)
    assert found.p_permutation == 1.0  # swapping the one person that differs gives the same size
    assert found.ci95[0] == 0.0


def test_paired_differences_clear_gain_is_significant_and_inside_its_interval() -> None:
    rng = np.random.default_rng(1)
    pids, a = np.repeat(np.arange(50), 4), rng.random(200) * 0.5
    found = map_difference(table(a, pids), table(a + 0.1 + 0.01 * rng.standard_normal(200), pids), draws=2000)
    assert found.p_permutation == pytest.approx(1 / 2001)
    assert found.p_bootstrap == pytest.approx(2 / 2001)
    assert found.ci95[0] < found.difference < found.ci95[1]


def test_paired_differences_seeds_are_averaged_per_query_and_order_does_not_matter() -> None:
    pids, ids = [1, 1, 2], ["a", "b", "c"]
    first = table([0.2, 0.4, 0.6], pids, ids)
    second = table([1.0, 0.8, 0.4], [2, 1, 1], ["c", "b", "a"])
    found = next(
        d for d in paired_differences([first, second], [table([0.3, 0.6, 0.8], pids, ids)], draws=100) if d.metric == "map"
    )
    assert found.a == pytest.approx((0.3 + 0.6 + 0.8) / 3)
    assert found.difference == pytest.approx(0.0, abs=1e-10)


def test_paired_differences_same_seed_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(2)
    a, b = (table(rng.random(40), np.arange(40) // 2) for _ in range(2))
    assert paired_differences([a], [b], draws=700, seed=5) == paired_differences([a], [b], draws=700, seed=5)
    assert paired_differences([a], [b], draws=700, seed=5) != paired_differences([a], [b], draws=700, seed=6)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (table([0.5], [1], ["x"]), "share no scored query; expected the same data set and split, got a and x"),
        (table([0.5], [2], ["a"]), "the two runs disagree about the queries' persons"),
    ],
    ids=["other queries", "other persons"],
)
def test_paired_differences_unlike_runs_are_refused(other, message) -> None:
    with pytest.raises(InputError, match=message):
        paired_differences([table([0.5], [1], ["a"])], [other])


def test_paired_differences_seeds_without_a_shared_query_are_refused() -> None:
    with pytest.raises(InputError, match="the seeds of a run share no scored query; got 2 tables"):
        paired_differences([table([0.5], [1], ["a"]), table([0.5], [1], ["b"])], [table([0.5], [1], ["a"])])


def test_differences_from_one_run_are_those_of_each_pair_alone() -> None:
    rng = np.random.default_rng(3)
    pids = np.repeat(np.arange(12), 3)
    base, *others = (table(rng.random(36), pids) for _ in range(4))
    fewer = table(rng.random(20), pids[:20])
    pairs = [[others[0]], [fewer], [others[1], others[2]]]
    together = differences_from([base], pairs, draws=700)
    assert together == tuple(paired_differences([base], pair, draws=700) for pair in pairs)
    assert [found[0].queries for found in together] == [36, 20, 36]


def test_join_splits_keeps_a_query_of_two_splits_apart_and_its_person_together() -> None:
    first, second = table([0.1, 0.2], [1, 2], ["a", "b"]), table([0.3, 0.7], [2, 3], ["b", "c"])
    joined = join_splits({"0": first, "1": second})
    assert joined.ids.tolist() == ["0/a", "0/b", "1/b", "1/c"]
    assert joined.pids.tolist() == [1, 2, 2, 3]
    better = join_splits({"0": table([0.2, 0.3], [1, 2], ["a", "b"]), "1": second})
    found = map_difference(joined, better, draws=100)
    assert (found.queries, found.persons) == (4, 3)
    assert found.difference == pytest.approx(0.05, abs=1e-9)


def test_holm_known_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values) -> None:
    adjusted = holm(p_values)
    order, m = sorted(range(len(p_values)), key=lambda i: p_values[i]), len(p_values)
    rejecting = True
    for step, i in enumerate(order):
        rejecting = rejecting and p_values[i] * (m - step) <= 0.05
        assert (adjusted[i] <= 0.05) == rejecting


def test_holm_not_a_probability_is_refused() -> None:
    with pytest.raises(InputError, match=r"p-values must be within 0-1; got \[0.5, 1.5\]"):
        holm([0.5, 1.5])
