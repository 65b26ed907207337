import numpy as np
import pytest

from reproid.retrieval.intervals import bootstrap_means, by_person, percentile_intervals


def test_by_person_sums_each_persons_queries() -> None:
    persons = by_person(np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([5, 3, 5, 9]))
    assert persons.sums.tolist() == [[2.0], [5.0], [8.0]]
    assert persons.queries.tolist() == [1, 2, 1]
    assert persons.means.tolist() == [15 / 4]


def test_bootstrap_means_equal_a_literal_resampling() -> None:
    values, pids = np.arange(10.0)[:, None] ** 2, np.array([1, 1, 1, 2, 2, 3, 3, 3, 3, 4])
    means = bootstrap_means(by_person(values, pids), np.random.default_rng(0), resamples=300)
    # The draws come in steps of 250 resamples, from one generator.
    generator = np.random.default_rng(0)
    drawn = np.concatenate([generator.integers(0, 4, (250, 4)), generator.integers(0, 4, (50, 4))]) + 1
    for row, mean in zip(drawn, means[:, 0], strict=True):
        rows = np.concatenate([np.flatnonzero(pids == person) for person in row])
        assert mean == pytest.approx(values[rows, 0].mean(), abs=1e-12)


def test_bootstrap_means_persons_are_wider_than_queries_alone() -> None:
    rng = np.random.default_rng(1)
    pids = np.repeat(np.arange(100), 4)
    values = (np.repeat(rng.random(100), 4) + 0.05 * rng.standard_normal(400))[:, None]
    whole = bootstrap_means(by_person(values, pids), np.random.default_rng(2), resamples=2000).std()
    single = bootstrap_means(by_person(values, np.arange(400)), np.random.default_rng(2), resamples=2000).std()
    assert 1.7 < whole / single < 2.3  # sqrt(4) for queries of a person that are all alike


def test_percentile_intervals_are_the_central_ones() -> None:
    means = np.stack([np.arange(1001.0), -np.arange(1001.0)], axis=1)
    intervals = percentile_intervals(means, ["a", "b"])
    assert intervals["a"] == pytest.approx((25, 975))
    assert intervals["b"] == pytest.approx((-975, -25))
