"""How far the suite is: which runs are done, running, failed, interrupted, not scored, or not there, and in which SLURM job."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reproid.catalog.catalog import Catalog
from reproid.catalog.plan import plan_suite
from reproid.catalog.runs import Run
from reproid.locks import Holder, holder
from reproid.report.results import Metrics, Results, RunStatus

State = Literal["done", "running", "failed", "interrupted", "not scored", "missing"]
STATES: tuple[State, ...] = ("done", "running", "failed", "interrupted", "not scored", "missing")


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """One run of the suite."""

    run: Run
    state: State
    reason: str | None = None
    """Why it failed or was interrupted, as it recorded itself."""
    slurm_job_id: str | None = None
    """The job that trains it, or trained it last; None outside SLURM."""
    host: str | None = None
    """Where it runs, or was killed."""
    log: str | None = None
    """Of its training; below results/."""

    def plain(self) -> dict[str, Any]:
        """Return this as data for JSON."""
        run = self.run
        about = {
            "run_id": run.run_id,
            "dataset": run.dataset,
            "split": run.split,
            "seed": run.seed,
            "method": run.settings.method,
        }
        found = {
            "state": self.state,
            "reason": self.reason,
            "slurm_job_id": self.slurm_job_id,
            "host": self.host,
            "log": self.log,
        }
        return about | found


def suite_progress(catalog: Catalog, results: Results) -> tuple[RunProgress, ...]:
    """Return the state of every run of the catalog's suite, by run id.

    A run is done when every metrics file that the suite's tables ask of it can be read; a recorded failure counts only where
    one of them cannot. It is running while a process holds the lock of its training; a lock whose process is gone, with nothing
    said by it since, is an interruption: the machine or the scheduler killed it.
    """
    needed: dict[str, tuple[Run, list[str]]] = {}
    for table in plan_suite(catalog):
        for entry in table.metrics():
            needed.setdefault(entry.run.run_id, (entry.run, []))[1].append(entry.path)
    return tuple(_progress(run, paths, results) for _, (run, paths) in sorted(needed.items()))


def _progress(run: Run, paths: list[str], results: Results) -> RunProgress:
    log = f"logs/train/{run.dataset}/{run.run_id}.log"
    log_there = log if (results.folder / log).is_file() else None
    at_it = holder(results.folder / "state" / f".{run.run_id}.lock")
    if at_it is not None and at_it.alive:
        return RunProgress(run=run, state="running", slurm_job_id=at_it.slurm_job_id, host=at_it.host, log=log_there)
    state, reason = _recorded(run, paths, results)
    if state == "missing" and at_it is not None:
        return _killed(run, at_it, log_there)
    return RunProgress(run=run, state=state, reason=reason, slurm_job_id=_slurm_job(run, results), log=log_there)


def _recorded(run: Run, paths: list[str], results: Results) -> tuple[State, str | None]:
    if all(isinstance(results.metrics(path), Metrics) for path in paths):
        return "done", None
    failure = results.failure(run.folder, [Path(path).stem for path in paths])
    if failure is not None:
        return "failed", failure
    status = results.status(run.folder)
    if not isinstance(status, RunStatus):
        return "missing", None
    if status.state == "done":
        return "not scored", None
    return status.state, status.reason


def _killed(run: Run, at_it: Holder, log: str | None) -> RunProgress:
    reason = "killed, without a word of its own; the same command continues it"
    return RunProgress(run=run, state="interrupted", reason=reason, slurm_job_id=at_it.slurm_job_id, host=at_it.host, log=log)


def _slurm_job(run: Run, results: Results) -> str | None:
    """Return the SLURM job of a run's training as status.json has it, or else its manifest."""
    status = results.status(run.folder)
    if isinstance(status, RunStatus) and status.slurm_job_id is not None:
        return status.slurm_job_id
    manifest = results.manifest(run.folder)
    job = manifest.get("slurm_job_id") if isinstance(manifest, dict) else None
    return job if isinstance(job, str) else None
