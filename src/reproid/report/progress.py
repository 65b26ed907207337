"""How far the suite is: which runs are done, failed, interrupted, not scored yet, or not there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reproid.catalog.catalog import Catalog
from reproid.catalog.plan import plan_suite
from reproid.catalog.runs import Run
from reproid.report.results import Metrics, Results, RunStatus

State = Literal["done", "failed", "interrupted", "not scored", "missing"]
STATES: tuple[State, ...] = ("done", "failed", "interrupted", "not scored", "missing")


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """One run of the suite."""

    run: Run
    state: State
    reason: str | None = None
    """Why it failed, as it recorded itself."""


def suite_progress(catalog: Catalog, results: Results) -> tuple[RunProgress, ...]:
    """Return the state of every run of the catalog's suite, by run id.

    A run is done when every metrics file that the suite's tables ask of it can be read; a recorded failure counts only where
    one of them cannot.
    """
    needed: dict[str, tuple[Run, list[str]]] = {}
    for table in plan_suite(catalog):
        for entry in table.metrics():
            needed.setdefault(entry.run.run_id, (entry.run, []))[1].append(entry.path)
    return tuple(_progress(run, paths, results) for _, (run, paths) in sorted(needed.items()))


def _progress(run: Run, paths: list[str], results: Results) -> RunProgress:
    if all(isinstance(results.metrics(path), Metrics) for path in paths):
        return RunProgress(run=run, state="done")
    failure = results.failure(run.folder, [Path(path).stem for path in paths])
    if failure is not None:
        return RunProgress(run=run, state="failed", reason=failure)
    status = results.status(run.folder)
    if not isinstance(status, RunStatus):
        return RunProgress(run=run, state="missing")
    if status.state == "done":
        return RunProgress(run=run, state="not scored")
    return RunProgress(run=run, state=status.state, reason=status.reason)
