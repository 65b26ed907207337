"""`reproid train --ranks N`: the ranks' signals and exit codes."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reproid.files import read_json
from reproid.training import launch as launch_module
from reproid.training.interrupt import EXIT_REQUEUE
from reproid.training.launch import launch
from reproid.training.manifest import read_manifest
from support.tracklets import small_run, write_tracklets


@pytest.fixture
def ranks(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let the launcher start small programs in place of trainings; returns the commands."""
    started: list[list[str]] = []
    real = subprocess.Popen

    def start(command: list[str], *, env: dict[str, str]) -> "subprocess.Popen[bytes]":
        started.append(command)
        return real(
            [sys.executable, "-S", "-c", "import os, signal, sys, time; rank = int(os.environ['RANK'])\n" + command[3]], env=env
        )

    monkeypatch.setattr(launch_module.subprocess, "Popen", start)
    monkeypatch.setattr(launch_module, "GRACE_S", 0.5)
    return started


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", 0),
        ("sys.exit(2 * rank)", 2),
        (f"sys.exit({EXIT_REQUEUE})", EXIT_REQUEUE),
        (f"sys.exit([1, {EXIT_REQUEUE}][rank])", 1),
        ("os.kill(os.getpid(), 9) if rank else None", 137),
        ("time.sleep(60 * (1 - rank)); sys.exit(3)", 3),
    ],
    ids=["well", "one-fails", "interrupted", "failure-before-interruption", "killed", "others-are-not-waited-for"],
)
def test_launch_returns_the_code_that_says_most(ranks: list[list[str]], program: str, code: int) -> None:
    began = time.monotonic()
    assert launch(2, [program]) == code
    assert len(ranks) == 2
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_launch_passes_signals_to_every_rank(ranks: list[list[str]], tmp_path: Path, number: signal.Signals) -> None:
    program = (
        f"signal.signal({int(number)}, lambda *_: sys.exit({EXIT_REQUEUE})); "
        f"open({str(tmp_path)!r} + '/' + str(rank), 'w').close(); time.sleep(60)"
    )

    def send() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)
        signal.raise_signal(number)

    sender = threading.Thread(target=send)
    sender.start()
    assert launch(2, [program]) == EXIT_REQUEUE
    sender.join()


def test_train_command_with_two_ranks_writes_one_finished_run(tmp_path: Path) -> None:
    places = write_tracklets(tmp_path / "tracklets")
    run = small_run(batch={"persons": 2, "clips_per_person": 2}, epochs=1, steps_per_epoch=1)
    (tmp_path / "run.json").write_text(run.model_dump_json())
    folders = [f"--{name}={path}" for name, path in (("index", places.index), ("data", places.data))]
    folders += [f"--out={tmp_path / 'run'}", f"--state={tmp_path / 'state' / 'run'}", f"--run-file={tmp_path / 'run.json'}"]
    command = [sys.executable, "-m", "reproid", "train", *folders, "--ranks=2", "--workers=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert read_json(tmp_path / "run" / "status.json")["state"] == "done"
    assert read_manifest(tmp_path / "run" / "manifest.json").world_size == 2
    assert done.stderr.count("epoch 1  ") == 1
