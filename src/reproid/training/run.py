"""One run from its record to its folder: model, data, training, and what is written about them."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from reproid.catalog.project import project_root
from reproid.catalog.runs import Run
from reproid.catalog.weights import find_weights
from reproid.clips.cuts import cut_tracklets
from reproid.clips.datasets import TrainingClips
from reproid.clips.declared import check_declared
from reproid.code_hash import code_sha256
from reproid.datasets.index import Tracklet, load_index
from reproid.errors import InputError
from reproid.files import read_json, write_json, write_text
from reproid.locks import exclusive
from reproid.models.checkpoint import load_tensors, save_tensors
from reproid.models.registry import create_model, declared_method
from reproid.outcomes import FAILED, describe, outcome
from reproid.seeds import derive_seed
from reproid.training.digests import data_sha256
from reproid.training.history import history_csv
from reproid.training.interrupt import Interrupt, Interrupted
from reproid.training.loop import Course, train
from reproid.training.optimisation import make_optimizer
from reproid.training.record import Record
from reproid.training.sampler import person_sampler
from reproid.training.state import StateFolder, TrainState
from reproid.training.team import ALONE, Team

STATUS = "status.json"
LAST = (STATUS, "model.safetensors", "manifest.json")
"""Files that say that a run is finished: none of an earlier one may stay."""


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


def train_run(job: TrainJob, team: Team = ALONE) -> None:
    """Train a run and write its folder: run.json, history.csv, model.safetensors, manifest.json, status.json.

    An interrupted run continues from its state where there is one; its weights are byte for byte those of an undisturbed run with
    the same number of threads on the same machine. While another process trains the same run, this one waits, and takes over what
    that one has made. In a team of several processes each calls this; the leading one alone writes.

    Raises:
        InputError: if the data, the settings or the saved files do not fit, or a loss is not finite. status.json names it, and
            the manifest lies in failed/, for that of the run's folder stands for a finished run.
        Interrupted: after SIGTERM or SIGUSR1; the state is saved.
    """
    lock = job.state.parent / f".{job.state.name}.lock"
    with Interrupt() as interrupt, contextlib.ExitStack() as stack:
        with _failure_kept(job.out, team), team.agreed(), interrupt.obeyed():
            waited = team.leads and stack.enter_context(exclusive(lock, f"another process trains run {job.run.run_id}"))
        if team.told("finished" if waited and job.resume and _is_finished(job) else ""):
            if team.leads:
                write_text(job.out / "run.json", _run_json(job.run))
            return
        with _failure_kept(job.out, team):
            if team.leads:
                _clear(job.out)
            _train(job, interrupt, team)
            if team.leads:
                write_json(job.out / STATUS, outcome("done"))
        if team.leads:
            StateFolder(folder=job.state, run_id=job.run.run_id, data_sha256="").discard()


@contextlib.contextmanager
def _failure_kept(out: Path, team: Team) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        reason = str(error) if isinstance(error, Interrupted) else describe(error)
        if team.leads:
            with contextlib.suppress(InputError):  # a folder that cannot be written to must not hide the first error
                write_json(out / STATUS, outcome("interrupted" if stopped else "failed", reason))
        raise


def _is_finished(job: TrainJob) -> bool:
    """Tell whether the process that was waited for has finished this very run."""
    try:
        about = load_tensors(job.out / "model.safetensors")[1]
        done = read_json(job.out / STATUS)["state"] == "done"
        same_code = read_json(job.out / "manifest.json")["code_sha256"] == code_sha256(job.run.settings.method)
    except (InputError, KeyError, TypeError):
        return False
    return done and same_code and about.get("run_id") == job.run.run_id and (job.out / "history.csv").is_file()


def _clear(out: Path) -> None:
    """Remove what an earlier run, or one that was killed in the middle of writing, left behind."""
    try:
        for old in (*(out / name for name in LAST), *sorted(out.glob(".*.partial*"))):
            old.unlink(missing_ok=True)
        if (out / FAILED).is_dir():  # what later steps failed on is no more
            shutil.rmtree(out / FAILED)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=out, fix="Choose another folder") from error


def _train(job: TrainJob, interrupt: Interrupt, team: Team) -> None:
    """Train, and write the manifest last: of what was known when it failed, if it did."""
    record = Record(run=job.run, threads=job.threads, workers=job.workers, world_size=team.size)
    try:
        _train_recorded(job, interrupt, record, team)
    except BaseException:
        if team.leads:
            with contextlib.suppress(InputError):
                record.manifest().write(job.out / FAILED / "manifest.json")
        raise
    if team.leads:
        record.manifest().write(job.out / "manifest.json")


def _train_recorded(job: TrainJob, interrupt: Interrupt, record: Record, team: Team) -> None:
    run = job.run
    index = load_index(job.index)
    check_declared(run, index, job.data)
    record.data_sha256 = data_sha256(job.index)
    tracklets = cut_tracklets(index.tracklets("train", run.split), run.settings.clips.cut)
    _check_method(run)
    start = _pretrained(run)
    classes = len({tracklet.pid for tracklet in tracklets})
    if team.leads:
        write_text(job.out / "run.json", _run_json(run))
    with reproducible(run.seed, job.threads):
        device = team.device()
        model = create_model(
            run.settings.method, run.settings.options, classes=classes, seed=run.seed, weights=start.path, sha256=start.sha256
        ).to(device)
        record.weights = start.note
        if run.settings.train.epochs:
            team.check_batch(run.settings.train.batch.persons)
            team.share_statistics(model)
            state = TrainState(model=model, optimizer=make_optimizer(model, run.settings.train.optimizer))
            course = _course(job, tracklets, device, record.data_sha256, team)
            if job.resume:
                _resume(state, course)
            team.check_same("data or resume state", f"epoch {state.epoch}, batch {state.step}, data {record.data_sha256[:12]}")
            record.state, record.earlier_s = state, state.wall_s
            train(state, course, interrupt)
    if not team.leads:
        return
    write_text(job.out / "history.csv", history_csv(record.state.history if record.state else []))
    about = {"method": run.settings.method, "revision": run.revision, "classes": classes, "run_id": run.run_id}
    save_tensors(job.out / "model.safetensors", model.state_dict(), about)


def _run_json(run: Run) -> str:
    return run.model_dump_json(indent=1) + "\n"


@contextlib.contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Fix everything that makes equal runs differ: generators, threads, algorithms. Restored on leaving.

    torch's global generator is what dropout and drop-path draw from; its seed is derived from the run's.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS needs it to be deterministic
    before = torch.get_deterministic_debug_mode(), torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "augmentation", "model"))
        torch.set_deterministic_debug_mode(
            "error"
        )  # use_deterministic_algorithms(True) without its import of torch's compiler: 0.8 s
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_deterministic_debug_mode(before[0])
            torch.set_num_threads(before[1])


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


def _course(job: TrainJob, tracklets: tuple[Tracklet, ...], device: torch.device, digest: str, team: Team) -> Course:
    run, settings = job.run, job.run.settings
    pids = [tracklet.pid for tracklet in tracklets]
    return Course(
        settings=settings.train,
        clips=TrainingClips(tracklets=tracklets, data=job.data, settings=settings.clips, seed=run.seed, gop=settings.gop),
        sampler=person_sampler(pids, settings.train, seed=run.seed, where=job.index),
        workers=job.workers,
        device=device,
        state=StateFolder(folder=job.state, run_id=run.run_id, data_sha256=digest, ranks=team.size),
        save_minutes=job.save_minutes,
        history=job.out / "history.csv",
        team=team,
    )


def _resume(state: TrainState, course: Course) -> None:
    if course.state.restore(state) and course.team.leads:
        print(f"reproid: continues after epoch {state.epoch}, batch {state.step}", file=sys.stderr)
