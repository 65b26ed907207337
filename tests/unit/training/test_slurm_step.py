"""Places that srun gives; tests/slurm starts it."""

import os
import subprocess
import sys

import pytest

from reproid.errors import InputError
from reproid.training.slurm_step import first_host, join_step

STEP = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_STEP_NODELIST": "gpu[08-09]"}
STEP |= {"SLURM_JOB_ID": "123", "SLURM_STEP_ID": "2"}
NAMES = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_join_step_takes_the_place_that_srun_gives(step: pytest.MonkeyPatch) -> None:
    assert join_step(8)
    assert {name: os.environ[name] for name in NAMES[:4]} == dict(zip(NAMES, ("8", "5", "1", "gpu08"), strict=False))
    port = os.environ["MASTER_PORT"]
    assert 1024 < int(port) < 32768
    step.setenv("SLURM_STEP_ID", "3")
    step.delenv("MASTER_PORT")
    assert join_step(8)
    assert os.environ["MASTER_PORT"] != port


def test_join_step_keeps_the_address_that_is_given(step: pytest.MonkeyPatch) -> None:
    step.setenv("MASTER_ADDR", "10.0.0.1")
    step.setenv("MASTER_PORT", "4000")
    assert join_step(8)
    assert (os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]) == ("10.0.0.1", "4000")


@pytest.mark.parametrize("tasks", [None, "1"], ids=["outside", "one-task"])
def test_join_step_of_one_task_takes_no_place(step: pytest.MonkeyPatch, tasks: str | None) -> None:
    """Snakemake's jobs are steps of one task, which start their ranks themselves."""
    if tasks is None:
        step.delenv("SLURM_STEP_NUM_TASKS")
    else:
        step.setenv("SLURM_STEP_NUM_TASKS", tasks)
    assert not join_step(4)
    assert "WORLD_SIZE" not in os.environ


@pytest.mark.parametrize("ranks", [1, 4])
def test_join_step_of_another_number_is_refused(step: pytest.MonkeyPatch, ranks: int) -> None:
    with pytest.raises(InputError, match=rf"--ranks: srun started 8 tasks .* expected 8, got {ranks}\. Add --ranks 8"):
        join_step(ranks)


def test_train_command_in_a_step_of_another_number_says_so_and_trains_nothing() -> None:
    command = [sys.executable, "-m", "reproid", "train", "--run-id", "0" * 12]
    done = subprocess.run(command, env={**os.environ, **STEP}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "reproid: error: --ranks: srun started 8 tasks" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("n1", "n1"),
        ("n[1-2]", "n1"),
        ("gpu[08-11,14],big1", "gpu08"),
        ("b,a", "b"),
        ("r[1-2]-n[03,05]", "r1-n03"),
        ("a-b.c,d", "a-b.c"),
    ],
)
def test_first_host_of_a_list_as_slurm_writes_it(nodes: str, first: str) -> None:
    assert first_host(nodes) == first
