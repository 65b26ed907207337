import os
from pathlib import Path

import pytest

from reproid.training.interrupt import Interrupted
from reproid.training.requeue import requeue_job

WARNED = Interrupted("SIGUSR1", "epoch 2, batch 3", progressed=True)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in of scontrol was called with; it refuses the job 13."""
    log = tmp_path / "asked"
    program = tmp_path / "bin/scontrol"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n[ "$2" != 13 ] || {{ echo "Requested operation disabled" >&2; exit 1; }}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    return log


def test_requeue_after_the_warning_asks_for_this_job(asked: Path) -> None:
    assert requeue_job(WARNED) == "SLURM job 12 is back in the queue and continues from there"
    assert asked.read_text() == "requeue 12\n"


def test_requeue_after_sigterm_asks_for_nothing(asked: Path) -> None:
    assert requeue_job(Interrupted("SIGTERM", "epoch 2, batch 3", progressed=True)) is None
    assert not asked.exists()


def test_requeue_outside_of_slurm_asks_for_nothing(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID")
    assert requeue_job(WARNED) is None
    assert not asked.exists()


def test_requeue_without_a_step_would_never_end_and_is_not_asked_for(asked: Path) -> None:
    said = requeue_job(Interrupted("SIGUSR1", "epoch 1, batch 1"))
    assert said == "SLURM job 12 ends here: it did no step before the warning of its time limit; give it more time"
    assert not asked.exists()


def test_requeue_that_is_refused_says_why(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "13")
    said = requeue_job(WARNED)
    assert said == "SLURM job 13 ends here: it could not be put back into the queue (Requested operation disabled)"


def test_requeue_without_scontrol_as_in_a_container_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = requeue_job(WARNED)
    assert said is not None
    assert said.startswith("SLURM job 12 ends here: it could not be put back into the queue ([Errno 2]")
