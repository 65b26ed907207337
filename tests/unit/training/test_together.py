"""Two processes and one run; a signal while nothing moves; what a training that fails early leaves behind."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.files import read_json, write_json
from reproid.training import loop
from reproid.training import run as run_module
from reproid.training.interrupt import Interrupted
from reproid.training.manifest import read_manifest
from reproid.training.run import TrainJob, train_run
from reproid.training.state import StateFolder
from support.tracklets import Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reproid.training.interrupt.GRACE_S", 0.05)


@pytest.fixture
def job(places: Places, tmp_path: Path) -> TrainJob:
    return TrainJob(
        run=small_run(), index=places.index, data=places.data, out=tmp_path / "run", state=tmp_path / "state" / "run", workers=0
    )


def _bytes(job: TrainJob) -> dict[str, bytes]:
    return {name: (job.out / name).read_bytes() for name in ("model.safetensors", "history.csv", "run.json")}


def _train_slowly(job: TrainJob) -> None:
    """In a child: train, the first step only once the test has seen that another process waits."""
    real = loop.train_step

    def step(*arguments: Any, **options: Any) -> dict[str, float]:
        while not (job.out / "go").exists():
            time.sleep(0.01)
        return real(*arguments, **options)

    loop.train_step = step
    train_run(job)


def _start_and_await(job: TrainJob) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_train_slowly, args=(job,))
    process.start()
    while not (job.out / "run.json").exists():
        assert process.is_alive()
        time.sleep(0.01)
    return process


def test_train_run_takes_over_what_the_process_it_waited_for_has_made(
    job: TrainJob, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    process = _start_and_await(job)
    (job.out / "run.json").unlink()  # Snakemake removes the outputs of what it thinks was never finished
    threading.Timer(0.5, (job.out / "go").touch).start()
    monkeypatch.setattr(run_module, "_train", lambda *_: pytest.fail("trained again"))
    train_run(job)
    process.join(60)
    assert process.exitcode == 0
    assert f"another process trains run {job.run.run_id}; this process waits for its end" in capfd.readouterr().err
    monkeypatch.undo()
    whole = replace(job, out=job.out.parent / "whole")
    train_run(whole)
    assert _bytes(job) == _bytes(whole)


def test_train_run_goes_on_where_the_process_it_waited_for_was_killed(job: TrainJob) -> None:
    process = _start_and_await(job)
    threading.Timer(0.5, os.kill, (process.pid, signal.SIGKILL)).start()
    (job.out / "status.json").unlink(missing_ok=True)
    train_run(job)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    whole = replace(job, out=job.out.parent / "whole")
    train_run(whole)
    assert _bytes(job) == _bytes(whole)


def test_train_run_that_waits_for_another_leaves_on_a_signal(job: TrainJob) -> None:
    process = _start_and_await(job)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Interrupted, match="SIGTERM"):
        train_run(job)
    assert process.is_alive()
    (job.out / "go").touch()
    process.join(60)
    assert read_json(job.out / "status.json")["state"] == "done"


def test_train_run_signalled_while_no_batch_comes_saves_at_once(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loop.load_batches

    def hanging(*arguments: Any, **options: Any) -> Iterator[Clip]:
        """A network drive that is lost after the second batch."""
        batches = real(*arguments, **options)
        yield next(batches)
        yield next(batches)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(300)

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="SIGTERM in epoch 1, batch 3"):
        patch.setattr(loop, "load_batches", hanging)
        train_run(job)
    assert (job.state / "state.safetensors").exists()
    train_run(job)
    whole = replace(job, out=job.out.parent / "whole", state=job.state.parent / "whole")
    train_run(whole)
    assert _bytes(job) == _bytes(whole)
    assert read_manifest(job.out / "manifest.json").sessions == 2


def test_train_run_signalled_while_it_starts_can_be_continued(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run_module.load_index
    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="SIGUSR1 in epoch 1, batch 1"):
        patch.setattr(run_module, "load_index", lambda path: (os.kill(os.getpid(), signal.SIGUSR1), real(path))[1])
        train_run(job)
    assert read_json(job.out / "status.json")["state"] == "interrupted"
    train_run(job)
    assert read_json(job.out / "status.json")["state"] == "done"


def test_resume_with_the_sampler_elsewhere_gives_other_bytes(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that compare bytes after a resume can fail: here the place in the epoch is forgotten on purpose."""
    real = StateFolder.restore

    def forgetful(folder: StateFolder, state: Any) -> bool:
        found = real(folder, state)
        state.step = 0
        return found

    after: list[int] = []

    def step(*arguments: Any, **options: Any) -> dict[str, float]:
        after.append(1)
        if len(after) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return real_step(*arguments, **options)

    real_step = loop.train_step
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(loop, "train_step", step)
        train_run(job)
    monkeypatch.setattr(StateFolder, "restore", forgetful)
    train_run(job)
    whole = replace(job, out=job.out.parent / "whole", state=job.state.parent / "whole")
    train_run(whole)
    assert _bytes(job)["model.safetensors"] != _bytes(whole)["model.safetensors"]


@pytest.mark.parametrize("missing", ["index", "data"])
def test_train_run_that_fails_before_its_model_exists_leaves_status_and_manifest(job: TrainJob, missing: str) -> None:
    write_json(job.out / "manifest.json", {"of": "an earlier run"})
    with pytest.raises(InputError):
        train_run(replace(job, **{missing: Path("nowhere")}))
    status = json.loads((job.out / "status.json").read_text())
    assert status["state"] == "failed"
    assert "nowhere" in status["reason"]
    manifest = read_manifest(job.out / "failed" / "manifest.json")
    assert (manifest.data_sha256, manifest.weights, manifest.sessions) == (None, "unknown", 1)
    assert not (job.out / "manifest.json").exists(), "it stands for a finished run"
    train_run(job)
    assert not (job.out / "failed").exists()
    assert read_manifest(job.out / "manifest.json").weights == "none"
