"""Two checkouts on one cluster, whose controller goes away meanwhile."""

import time
from functools import partial
from pathlib import Path

import pytest

from support.cluster import Cluster
from support.on_cluster import OnCluster, Undisturbed, until

AWAY_S = 15


@pytest.fixture(scope="module")
def both(cluster: Cluster, undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> list[OnCluster]:
    """Two checkouts of one suite that were submitted at once and are finished."""
    folder: Path = tmp_path_factory.mktemp("together")
    checkouts = [undisturbed.checkout(folder / name, cluster) for name in ("one", "other")]
    for checkout in checkouts:
        checkout.slow(0.5)
    commands = [checkout.start("--", undisturbed.path(undisturbed.trained)) for checkout in checkouts]
    for checkout in checkouts:
        until(partial(_is_training, checkout, undisturbed), "a training", checkout.said)
    cluster.stop_controller()
    time.sleep(AWAY_S)
    cluster.start_controller()
    for checkout, command in zip(checkouts, commands, strict=True):
        assert command.wait(600) == 0, checkout.said()
    return checkouts


def _is_training(checkout: OnCluster, undisturbed: Undisturbed) -> bool:
    return checkout.epochs_done(undisturbed.trained) >= 1


def test_checkouts_of_one_suite_come_to_the_same_and_survive_a_controller_that_was_away(
    both: list[OnCluster], undisturbed: Undisturbed
) -> None:
    for checkout in both:
        undisturbed.check(checkout, undisturbed.trained)


def test_checkouts_have_jobs_of_their_own(both: list[OnCluster]) -> None:
    ids = [{job["JobId"] for job in checkout.jobs() if job["JobState"] == "COMPLETED"} for checkout in both]
    assert [len(found) for found in ids] == [1, 1]
    assert not ids[0] & ids[1]
