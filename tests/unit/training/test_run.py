"""Whole trainings, as small as they get: the folder they write, and that they repeat, resume and fail as promised."""

import errno
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_tensors
from reproid.models.registry import create_model
from reproid.models.resnet50.model import ResNet
from reproid.training import loop
from reproid.training.interrupt import Interrupted
from reproid.training.manifest import read_manifest
from reproid.training.run import TrainJob, train_run
from support.tracklets import Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture
def job(places: Places, tmp_path: Path) -> TrainJob:
    run = small_run()
    return TrainJob(
        run=run, index=places.index, data=places.data, out=tmp_path / "run", state=tmp_path / "state" / run.run_id, workers=0
    )


def _results(job: TrainJob) -> tuple[bytes, bytes]:
    return (job.out / "model.safetensors").read_bytes(), (job.out / "history.csv").read_bytes()


def _status(job: TrainJob) -> dict[str, Any]:
    status: dict[str, Any] = json.loads((job.out / "status.json").read_text())
    return status


def _elsewhere(job: TrainJob, name: str, **changes: Any) -> TrainJob:
    return replace(job, out=job.out.parent / name, state=job.state.parent / name, **changes)


def _stop_at(monkeypatch: pytest.MonkeyPatch, steps: set[int], act: Callable[[], None]) -> None:
    """Do something after these optimiser steps of the process (1-based), between a step and what follows it."""
    done = 0
    real = loop.train_step

    def step(*arguments: Any, **options: Any) -> dict[str, float]:
        nonlocal done
        values = real(*arguments, **options)
        done += 1
        if done in steps:
            act()
        return values

    monkeypatch.setattr(loop, "train_step", step)


def test_train_run_writes_the_whole_folder(job: TrainJob) -> None:
    train_run(job)
    names = {path.name for path in job.out.iterdir()}
    assert names == {"run.json", "history.csv", "model.safetensors", "status.json", "manifest.json"}
    assert (_status(job)["state"], _status(job)["reason"]) == ("done", None)
    assert type(job.run).model_validate_json((job.out / "run.json").read_text()) == job.run
    rows = (job.out / "history.csv").read_text().splitlines()
    assert rows[0] == "epoch,lr,loss,accuracy,cross_entropy,triplet"
    assert [row.split(",")[0] for row in rows[1:]] == ["1", "2"]
    assert not job.state.exists()
    about = load_tensors(job.out / "model.safetensors")[1]
    assert about == {"method": "resnet50", "revision": 1, "classes": 4, "run_id": job.run.run_id}


def test_train_run_learns_the_persons(job: TrainJob) -> None:
    train_run(replace(job, run=small_run(epochs=8, steps_per_epoch=4, optimizer={"lr": 0.003})))
    rows = [line.split(",") for line in (job.out / "history.csv").read_text().splitlines()[1:]]
    assert float(rows[-1][2]) < 0.6 * float(rows[0][2]), "loss"
    assert float(rows[-1][3]) > 0.8, "accuracy on the batches"


def test_train_run_again_gives_the_same_bytes_whatever_the_workers(job: TrainJob) -> None:
    train_run(job)
    again = _elsewhere(job, "again", workers=2)
    train_run(again)
    assert _results(again) == _results(job)


def test_train_run_other_seed_gives_other_weights(job: TrainJob) -> None:
    train_run(job)
    other = _elsewhere(job, "other", run=small_run(seed=1))
    train_run(other)
    assert _results(other)[1] != _results(job)[1]


def test_train_run_of_no_epochs_writes_the_initial_weights(job: TrainJob) -> None:
    run = small_run(epochs=0)
    train_run(replace(job, run=run))
    initial = create_model("resnet50", run.settings.options, classes=4, seed=run.seed).state_dict()
    written = load_tensors(job.out / "model.safetensors")[0]
    assert written.keys() == initial.keys()
    assert all(torch.equal(written[name], initial[name]) for name in initial)
    assert (job.out / "history.csv").read_text() == "epoch,lr,loss,accuracy\n"


@pytest.mark.parametrize(("threads", "name"), [(1, "SIGTERM"), (2, "SIGUSR1")], ids=["one-thread", "two-threads"])
def test_train_run_after_signals_ends_with_the_same_bytes(
    job: TrainJob, monkeypatch: pytest.MonkeyPatch, threads: int, name: str
) -> None:
    job = replace(job, threads=threads)
    train_run(job)
    broken = _elsewhere(job, "broken", workers=2)
    # six steps in all; a process takes two and is stopped: inside an epoch, across its border, and after its last step
    for place in ("epoch 1, batch 3", "epoch 2, batch 2", "epoch 2, batch 4"):
        with monkeypatch.context() as patch, pytest.raises(Interrupted, match=f"{name} in {place}"):
            _stop_at(patch, {2}, lambda: os.kill(os.getpid(), getattr(signal, name)))
            train_run(broken)
        assert (_status(broken)["state"], _status(broken)["reason"]) == ("interrupted", f"{name} in {place}")
        assert not (broken.out / "model.safetensors").exists()
    train_run(broken)
    assert _results(broken) == _results(job)
    assert read_manifest(broken.out / "manifest.json").sessions == 4
    assert not broken.state.exists()


def test_train_run_after_a_crash_continues_from_the_last_saved_step(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    train_run(job)
    broken = _elsewhere(job, "broken", save_minutes=0)

    def crash() -> None:
        raise MemoryError("for the test")

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        _stop_at(patch, {2}, crash)
        train_run(broken)
    assert (_status(broken)["state"], _status(broken)["reason"]) == ("failed", "MemoryError: for the test")
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with monkeypatch.context() as patch:
        _stop_at(patch, set(range(100)), count)
        train_run(broken)
    assert steps == 5, "the first of six was saved"
    assert _results(broken) == _results(job)


def test_train_run_tells_the_model_each_epoch_before_its_first_step_and_after_a_resume(
    job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int] | str] = []
    monkeypatch.setattr(ClipModel, "begin_epoch", lambda model, epoch, epochs: told.append((epoch, epochs)))
    steps = small_run().settings.train.steps_per_epoch
    assert steps is not None
    _stop_at(monkeypatch, {steps + 1}, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train_run(job)
    assert told == [(0, 2), (1, 2)]
    train_run(job)
    assert told == [(0, 2), (1, 2), (1, 2)]


def test_train_run_writes_the_models_metrics_to_the_history(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = ResNet.forward

    def shared(model: ResNet, clip: Clip) -> Output:
        return replace(forward(model, clip), metrics={"share": torch.tensor(0.25)})

    monkeypatch.setattr(ResNet, "forward", shared)
    train_run(job)
    rows = (job.out / "history.csv").read_text().splitlines()
    assert rows[0].endswith(",triplet,share")
    assert all(row.endswith(",0.25") for row in rows[1:])


def test_train_run_without_resume_starts_from_the_beginning(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        _stop_at(patch, {4}, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train_run(job)
    train_run(replace(job, resume=False))
    assert read_manifest(job.out / "manifest.json").sessions == 1


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        (lambda job: replace(job, run=small_run(epochs=1)), r"resume state of another run_id; expected {new}, got {old}"),
        (lambda job: job, r"damaged checkpoint"),
    ],
    ids=["other-settings", "damaged"],
)
def test_train_run_with_a_foreign_state_ignores_it_with_a_notice(
    job: TrainJob,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[TrainJob], TrainJob],
    notice: str,
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        _stop_at(patch, {1}, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train_run(job)
    changed = change(job)
    if changed is job:
        (job.state / "state.safetensors").write_bytes(b"x" * 100)
    train_run(changed)
    expected = notice.format(new=changed.run.run_id, old=job.run.run_id)
    error = capsys.readouterr().err
    assert expected in error
    assert "It is ignored; training starts from the beginning." in error
    fresh = _elsewhere(changed, "fresh")
    train_run(fresh)
    assert _results(changed) == _results(fresh)


@pytest.mark.parametrize("term", ["triplet", "budget"])
def test_train_run_non_finite_term_stops_before_the_step(job: TrainJob, monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    batches = 0
    real = loop.loss_terms

    def poisoned(output: Output, *arguments: Any) -> dict[str, torch.Tensor]:
        nonlocal batches
        batches += 1
        terms = real(output, *arguments)
        return terms | {term: terms["triplet"] * float("nan")} if batches == 5 else terms

    monkeypatch.setattr(loop, "loss_terms", poisoned)
    message = rf"epoch 2, batch 2: loss term '{term}' is not finite; expected a finite number, got nan\. Lower the learning rate"
    with pytest.raises(InputError, match=message):
        train_run(job)
    assert _status(job)["state"] == "failed"
    assert f"'{term}' is not finite" in _status(job)["reason"]
    assert not (job.out / "model.safetensors").exists()
    assert read_manifest(job.out / "failed" / "manifest.json").run_id == job.run.run_id
    assert not (job.out / "manifest.json").exists(), "it stands for a finished run"


def test_train_run_broken_image_fails_with_its_name(job: TrainJob, tmp_path: Path) -> None:
    places = write_tracklets(tmp_path / "other")
    for path in places.frames:
        path.write_bytes(b"\0")
    with pytest.raises(InputError, match=r"\.png: not an image; expected a JPEG or PNG file, got 1 bytes that begin with"):
        train_run(replace(job, index=places.index, data=places.data, workers=2))
    assert _status(job)["reason"].count(".png: not an image") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": Path("nowhere")}, r"nowhere: data folder not found\. Point --data to the folder of the images"),
        ({"index": Path("nowhere")}, r"nowhere/tracklets\.parquet: file not found"),
        (
            {"run": small_run(revision=7)},
            r"method 'resnet50' has changed; expected revision 7, got revision 1\. Plan the run anew",
        ),
        ({"run": small_run().model_copy(update={"dataset": "mars"})}, r"index of another data set; expected mars, got noise"),
        ({"run": small_run().model_copy(update={"split": "split-3"})}, r"index of noise: unknown split; .*got 'split-3'"),
        ({"run": small_run(batch={"persons": 9, "clips_per_person": 2})}, r"too few persons .* expected at least 9, got 4"),
    ],
    ids=["data", "index", "revision", "dataset", "split", "persons"],
)
def test_train_run_misfit_fails_with_its_reason(job: TrainJob, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        train_run(replace(job, **changes))
    assert _status(job)["state"] == "failed"
    assert not (job.out / "model.safetensors").exists()


def test_train_run_into_a_file_says_that_it_cannot_be_written(job: TrainJob, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file/run: cannot be written \(Not a directory\)"):
        train_run(replace(job, out=tmp_path / "file" / "run"))


def test_train_run_absent_pretrained_weights_are_noticed_and_recorded(
    job: TrainJob, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small_run(epochs=0)
    options = run.settings.options | {"pretrained": "resnet50-imagenet"}
    run = run.model_copy(update={"settings": run.settings.model_copy(update={"options": options})})
    train_run(replace(job, run=run))
    error = capsys.readouterr().err
    assert error.count("pretrained weights 'resnet50-imagenet' are not on this machine (resnet50-") == 1
    assert read_manifest(job.out / "manifest.json").weights == "absent"


def test_train_run_present_pretrained_weights_are_verified(job: TrainJob, project: Path) -> None:
    run = small_run(epochs=0)
    options = run.settings.options | {"pretrained": "resnet50-imagenet"}
    run = run.model_copy(update={"settings": run.settings.model_copy(update={"options": options})})
    folder = project / "data" / "weights"
    folder.mkdir(parents=True)
    (folder / "resnet50-0676ba61.pth").write_bytes(b"another file")
    with pytest.raises(
        InputError, match=r"resnet50-0676ba61\.pth: checkpoint differs from the declared one; expected sha256 0676ba61"
    ):
        train_run(replace(job, run=run))


def test_train_run_on_a_full_disk_keeps_the_last_state(job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    train_run(job)
    broken = _elsewhere(job, "broken", save_minutes=0)
    saves = 0
    real = Path.write_bytes

    def write(path: Path, content: bytes) -> int:
        nonlocal saves
        saves += 1
        if saves == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, content)

    with (
        monkeypatch.context() as patch,
        pytest.raises(InputError, match=r"state\.safetensors: cannot be written \(No space left"),
    ):
        patch.setattr(Path, "write_bytes", write)
        train_run(broken)
    assert [path.name for path in broken.state.iterdir()] == ["state.safetensors"]
    train_run(broken)
    assert read_manifest(broken.out / "manifest.json").sessions == 2
    assert _results(broken) == _results(job)
