"""A training of two ranks on a real SLURM: on two GPUs of a node by the workflow, on two nodes by srun."""

import json
from concurrent.futures import Future

import pytest

from reproid.training.manifest import read_manifest
from support.on_cluster import OnCluster, Undisturbed

Started = dict[str, "Future[OnCluster]"]


def check(checkout: OnCluster, undisturbed: Undisturbed) -> None:
    """Assert that two ranks, warned once, have trained as one process does that nothing disturbs."""
    run_id = undisturbed.trained
    manifest = read_manifest(checkout.folder / undisturbed.path(run_id, "manifest.json"))
    assert (manifest.world_size, manifest.sessions) == (2, 2)
    assert json.loads((checkout.folder / undisturbed.path(run_id, "status.json")).read_text())["state"] == "done"
    (job,) = checkout.jobs()
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")
    said = json.loads((checkout.folder / "status.json").read_text())  # of `reproid status`, while it trained
    (state,) = [entry for entry in said["runs"] if entry["run_id"] == run_id]
    assert (state["state"], state["slurm_job_id"]) == ("running", job["JobId"])
    assert said["counts"] == {"done": 0, "running": 1, "failed": 0, "interrupted": 0, "not scored": 0, "missing": 1}
    found, expected = checkout.history(run_id), undisturbed.history()
    assert len(found) == len(expected) == 4
    for together, alone in zip(found[:3], expected[:3], strict=True):  # the warning came in the second epoch
        assert together == pytest.approx(alone, rel=1e-5)
    # then another hardest clip is found: weights of one process that differ by 1e-6 at the start end as far from each other
    assert found[3] == pytest.approx(expected[3], rel=3e-3)


def test_training_on_two_gpus_has_cpus_and_memory_for_both_and_the_losses_of_one(
    started: Started, undisturbed: Undisturbed
) -> None:
    checkout = started["on_two_gpus"].result()
    (job,) = checkout.jobs()
    assert (job["NumTasks"], job["CPUs/Task"], job["MinMemoryNode"]) == ("1", "2", "6000M")
    assert job["TresPerNode"] == "gres:gpu:2"
    assert {place[:4] for place in checkout.places()} == {("0", "0", "2", "n1"), ("1", "1", "2", "n1")}
    assert {len(set(gpus)) for _, _, _, _, *gpus in checkout.places()} == {2}, "each rank sees both, and takes its own"
    check(checkout, undisturbed)


def test_training_on_two_nodes_by_srun_has_the_losses_of_one(started: Started, undisturbed: Undisturbed) -> None:
    checkout = started["on_two_nodes"].result()
    assert {place[:4] for place in checkout.places()} == {("0", "0", "2", "n1"), ("1", "0", "2", "n2")}
    assert {len(gpus) for _, _, _, _, *gpus in checkout.places()} == {1}
    assert all(gpu for *_, gpu in checkout.places())
    check(checkout, undisturbed)
