"""The rule for *reproduced*, and the words."""

import pytest

from reproid.report.status import MEANINGS, Comparison, Status, compare_accuracy, compare_cost


@pytest.mark.parametrize(
    ("mean", "sd", "seeds", "expected"),
    [
        pytest.param(81.0, 0.0, 3, Status.REPRODUCED, id="equal"),
        pytest.param(81.5, 0.0, 3, Status.REPRODUCED, id="half a point above is still inside"),
        pytest.param(80.5, 0.1, 3, Status.REPRODUCED, id="half a point below is still inside"),
        pytest.param(81.51, 0.2, 3, Status.ABOVE, id="more than half a point above"),
        pytest.param(80.49, 0.2, 3, Status.BELOW, id="more than half a point below"),
        pytest.param(82.0, 0.5, 3, Status.REPRODUCED, id="two sd above is still inside"),
        pytest.param(82.01, 0.5, 3, Status.ABOVE, id="more than two sd above"),
        pytest.param(81.0, 0.0, 2, Status.TOO_FEW_SEEDS, id="two seeds are too few even for the same number"),
        pytest.param(70.0, None, 1, Status.TOO_FEW_SEEDS, id="one seed has no sd"),
    ],
)
def test_compare_accuracy_follows_the_rule(mean: float, sd: float | None, seeds: int, expected: Status) -> None:
    assert compare_accuracy(Comparison(mean=mean, sd=sd, seeds=seeds, printed=81.0)) is expected


@pytest.mark.parametrize(
    ("mean", "expected"), [(32.43, Status.REPRODUCED), (31.883, Status.REPRODUCED), (31.88, Status.BELOW), (33.6, Status.ABOVE)]
)
def test_compare_cost_allows_two_and_a_half_percent(mean: float, expected: Status) -> None:
    assert compare_cost(Comparison(mean=mean, sd=None, seeds=1, printed=32.7)) is expected


def test_difference_drops_the_noise_of_binary_fractions() -> None:
    assert Comparison(mean=81.3, sd=None, seeds=3, printed=81.0).difference == 0.3


def test_every_status_has_a_meaning_and_only_verdicts_are_comparable() -> None:
    assert set(MEANINGS) == set(Status)
    comparable = {status for status in Status if status.comparable}
    assert comparable == {Status.REPRODUCED, Status.ABOVE, Status.BELOW, Status.TOO_FEW_SEEDS}
    assert not any(status.comparable for status in Status if "not comparable" in status)
