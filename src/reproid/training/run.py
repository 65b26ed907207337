"""One run from its record to its folder: model, data, training, and what is written about them."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reproid.catalog.project import project_root
from reproid.catalog.runs import Run
from reproid.catalog.weights import find_weights
from reproid.clips.datasets import TrainingClips
from reproid.datasets.index import Tracklet, load_index
from reproid.errors import InputError
from reproid.files import write_json, write_text
from reproid.models.base import ClipModel
from reproid.models.checkpoint import save_tensors
from reproid.models.registry import create_model, declared_method
from reproid.seeds import derive_seed
from reproid.training.digests import code_sha256, data_sha256
from reproid.training.history import history_csv
from reproid.training.interrupt import Interrupted
from reproid.training.loop import Course, train
from reproid.training.manifest import Manifest, derived_seeds, environment, peak_memory_mib
from reproid.training.optimisation import make_optimizer
from reproid.training.sampler import person_sampler
from reproid.training.state import StateFolder, TrainState


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """A run and where its files are."""

    run: Run
    index: Path
    """Folder of tracklets.parquet and splits.parquet."""
    data: Path
    """Folder that the frames' names are relative to."""
    out: Path
    """The run's folder; created."""
    state: Path
    """The resume state's folder; removed on success."""
    workers: int = 2
    """Processes that decode images; results do not depend on it."""
    threads: int = 1
    """Of torch on the CPU; results depend on it in the last bits."""
    resume: bool = True
    """False: a saved state is ignored and overwritten."""
    save_minutes: float = 10.0
    """Time between two saved states inside an epoch."""


@dataclass(frozen=True, kw_only=True)
class _Start:
    """Pretrained weights of a run."""

    path: Path | None
    sha256: str | None
    note: str
    """For the manifest."""


def train_run(job: TrainJob) -> None:
    """Train a run and write its folder: run.json, history.csv, model.safetensors, manifest.json, status.json.

    An interrupted run continues from its state where there is one; its weights are byte for byte those of an undisturbed run with
    the same number of threads on the same machine.

    Raises:
        InputError: if the data, the settings or the saved files do not fit, or a loss is not finite. status.json names it.
        Interrupted: after SIGTERM or SIGUSR1; the state is saved.
    """
    status = job.out / "status.json"
    try:
        _clear(job.out)
        _train(job)
    except BaseException as error:
        kind = "interrupted" if isinstance(error, Interrupted | KeyboardInterrupt) else "failed"
        reason = str(error) if isinstance(error, InputError | Interrupted) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(InputError):  # a folder that cannot be written to must not hide the first error
            write_json(status, {"state": kind, "reason": reason})
        raise
    write_json(status, {"state": "done", "reason": None})
    StateFolder(folder=job.state, run_id=job.run.run_id, data_sha256="").discard()


def _clear(out: Path) -> None:
    """Remove what an earlier run, or one that was killed in the middle of writing, left behind."""
    try:
        for old in (out / "status.json", out / "model.safetensors", *sorted(out.glob(".*.partial*"))):
            old.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=out, fix="Choose another folder") from error


def _train(job: TrainJob) -> None:
    began, run = time.monotonic(), job.run
    facts = environment()
    tracklets = _training_tracklets(job)
    _check_method(run)
    start = _pretrained(run)
    classes = len({tracklet.pid for tracklet in tracklets})
    write_text(job.out / "run.json", run.model_dump_json(indent=1) + "\n")
    with reproducible(run.seed, job.threads):
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = create_model(
            run.settings.method,
            run.settings.options,
            classes=classes,
            seed=run.seed,
            weights=start.path,
            sha256=start.sha256,
        ).to(device)
        state = TrainState(model=model, optimizer=make_optimizer(model, run.settings.train.optimizer))
        course = _course(job, tracklets, device)
        if job.resume:
            _resume(state, course)
        earlier_s = state.wall_s
        try:
            train(state, course)
        finally:
            wall_s = earlier_s + time.monotonic() - began
            _manifest(facts, job, course, start, wall_s=wall_s, sessions=state.sessions).write(job.out / "manifest.json")
    write_text(course.history, history_csv(state.history))
    _save_model(model, run, classes, job.out)


@contextlib.contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Fix everything that makes equal runs differ: generators, threads, algorithms. Restored on leaving.

    torch's global generator is what dropout and drop-path draw from; its seed is derived from the run's.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS needs it to be deterministic
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "augmentation", "model"))
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.set_num_threads(before[1])


def _training_tracklets(job: TrainJob) -> tuple[Tracklet, ...]:
    index = load_index(job.index)
    if index.dataset != job.run.dataset:
        raise InputError("index of another data set", where=job.index, expected=job.run.dataset, got=index.dataset)
    if not job.data.is_dir():
        raise InputError("data folder not found", where=job.data, fix="Point --data to the folder of the images")
    return index.tracklets("train", job.run.split)


def _check_method(run: Run) -> None:
    method = declared_method(run.settings.method, where=f"run {run.run_id}")
    if method.revision != run.revision:
        fix = "Plan the run anew: its id will change"
        raise InputError(
            f"method '{method.name}' has changed",
            where=f"run {run.run_id}",
            expected=f"revision {run.revision}",
            got=f"revision {method.revision}",
            fix=fix,
        )


def _pretrained(run: Run) -> _Start:
    name = run.settings.options.get("pretrained")
    if name is None:
        return _Start(path=None, sha256=None, note="none")
    declared, path = find_weights(project_root(), name)
    if path is None:
        text = f"pretrained weights '{name}' are not on this machine ({declared.file}): training starts from random weights"
        print(f"reproid: notice: {text}", file=sys.stderr)
        return _Start(path=None, sha256=None, note="absent")
    return _Start(path=path, sha256=declared.sha256, note=declared.sha256)


def _course(job: TrainJob, tracklets: tuple[Tracklet, ...], device: torch.device) -> Course:
    run, settings = job.run, job.run.settings
    pids = [tracklet.pid for tracklet in tracklets]
    return Course(
        settings=settings.train,
        clips=TrainingClips(tracklets=tracklets, data=job.data, settings=settings.clips, seed=run.seed),
        sampler=person_sampler(pids, settings.train, seed=run.seed, where=job.index),
        workers=job.workers,
        device=device,
        state=StateFolder(folder=job.state, run_id=run.run_id, data_sha256=data_sha256(job.index)),
        save_minutes=job.save_minutes,
        history=job.out / "history.csv",
    )


def _resume(state: TrainState, course: Course) -> None:
    if course.state.restore(state):
        print(f"reproid: continues after epoch {state.epoch}, batch {state.step}", file=sys.stderr)


def _manifest(facts: dict[str, Any], job: TrainJob, course: Course, start: _Start, *, wall_s: float, sessions: int) -> Manifest:
    cuda = course.device.type == "cuda"
    return Manifest(
        **facts,
        run_id=job.run.run_id,
        code_sha256=code_sha256(job.run.settings.method),
        data_sha256=course.state.data_sha256,
        weights=start.note,
        device="cuda" if cuda else "cpu",
        threads=job.threads,
        workers=job.workers,
        wall_s=round(wall_s, 1),
        sessions=sessions,
        peak_memory_mib=peak_memory_mib(),
        peak_gpu_memory_mib=round(torch.cuda.max_memory_allocated() / 2**20, 1) if cuda else None,
        seeds=derived_seeds(job.run.seed),
    )


def _save_model(model: ClipModel, run: Run, classes: int, out: Path) -> None:
    about = {"method": run.settings.method, "revision": run.revision, "classes": classes, "run_id": run.run_id}
    save_tensors(out / "model.safetensors", model.state_dict(), about)
