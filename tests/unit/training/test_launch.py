"""`reproid train --ranks N`: the ranks' signals and exit codes."""

import csv
import os
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
from reproid.training.launch import free_port, launch
from reproid.training.manifest import read_manifest
from reproid.training.run import TrainJob, train_run
from support.tracklets import Places, small_run, write_tracklets

RUN = small_run(batch={"persons": 4, "clips_per_person": 2}, optimizer={"name": "sgd", "lr": 0.05})


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


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def command(places: Places, folder: Path, *options: str) -> list[str]:
    """Return the arguments of Python that train the run into a folder."""
    folder.mkdir()
    (folder / "run.json").write_text(RUN.model_dump_json())
    where = {"index": places.index, "data": places.data, "run-file": folder / "run.json"}
    where |= {"out": folder / "run", "state": folder / "state" / "run"}
    return ["-m", "reproid", "train", "--workers=0", *options, *(f"--{name}={path}" for name, path in where.items())]


def losses(folder: Path) -> list[dict[str, float]]:
    with (folder / "run" / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def alone(places: Places, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    """The history of one process."""
    folder = tmp_path_factory.mktemp("alone")
    train_run(
        TrainJob(run=RUN, index=places.index, data=places.data, out=folder / "run", state=folder / "state" / "run", workers=0)
    )
    return losses(folder)


def check(folder: Path, alone: list[dict[str, float]], said: str) -> None:
    assert read_json(folder / "run" / "status.json")["state"] == "done", said
    assert read_manifest(folder / "run" / "manifest.json").world_size == 2
    assert said.count("epoch 1  ") == 1, "the first rank alone reports"
    assert len(losses(folder)) == len(alone) == 2
    for together, one in zip(losses(folder), alone, strict=True):
        assert together == pytest.approx(one, rel=1e-4)


def test_train_command_with_two_ranks_writes_one_finished_run(
    places: Places, alone: list[dict[str, float]], tmp_path: Path
) -> None:
    arguments = command(places, tmp_path / "two", "--ranks=2", "--threads=3")
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    check(tmp_path / "two", alone, done.stderr)
    assert read_manifest(tmp_path / "two" / "run" / "manifest.json").threads == 1, "three are shared by two"


@pytest.mark.parametrize(("machines", "each"), [(1, 2), (2, 1)], ids=["one-machine", "two-machines"])
def test_torchrun_starts_two_ranks_that_train_as_one_does(
    places: Places, alone: list[dict[str, float]], tmp_path: Path, machines: int, each: int
) -> None:
    """Each torchrun stands for a machine; they find each other as docs/distributed.md has it."""
    meeting = [
        f"--nnodes={machines}",
        f"--nproc-per-node={each}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint=127.0.0.1:{free_port()}",
    ]
    arguments = [sys.executable, "-m", "torch.distributed.run", *meeting, "--local-addr=127.0.0.1"]
    arguments += command(places, tmp_path / "two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (tmp_path / "said").open("w") as said:
        started = [subprocess.Popen(arguments, stdout=said, stderr=said, env=environment) for _ in range(machines)]
        try:
            codes = [one.wait(240) for one in started]
        finally:
            for one in started:
                one.kill()
    assert codes == [0] * machines, (tmp_path / "said").read_text()
    check(tmp_path / "two", alone, (tmp_path / "said").read_text())
