"""What all pages are made of: the catalog, the result files, every table judged, every run with its state."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from reproid.catalog.catalog import Catalog, full_name
from reproid.catalog.papers import Table
from reproid.catalog.plan import planned_runs
from reproid.catalog.runs import Run
from reproid.code_hash import code_sha256
from reproid.errors import unknown_name
from reproid.report.results import Damaged, Metrics, Results, RunStatus
from reproid.report.status import Tone
from reproid.report.tables import TableNumbers, build_table

_STATE_TONES: dict[str, Tone] = {
    "done": "good",
    "failed": "bad",
    "damaged file": "bad",
    "unfinished": "off",
    "interrupted": "off",
}


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One planned run and what became of it."""

    run: Run
    experiments: tuple[str, ...]
    """<paper>/<experiment>, sorted; the first one names the run."""
    protocols: tuple[str, ...]
    """Those that tables score it under, and those that it has metrics files of; sorted."""
    metrics: dict[str, Metrics | Damaged | None]
    """Protocol -> its metrics file."""
    damaged: tuple[Damaged, ...]
    state: str
    """done, failed, interrupted, unfinished, damaged file or not run."""
    failure: str | None
    other_code: bool
    """Whether it was made with other code than this clone's."""

    @property
    def tone(self) -> Tone:
        """The colour group of the state."""
        return _STATE_TONES.get(self.state, "quiet")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that pages show."""

    catalog: Catalog
    results: Results
    tables: tuple[TableNumbers, ...]
    """Those of the suite in its order, then all others by name, table-9 before table-10."""
    runs: dict[str, RunRecord]
    """By run id; all that a table asks for, whether they exist or not."""
    frames_of: frozenset[str] = frozenset()
    """Real data sets whose frames the user wants in the pages; rendered ones are always shown."""

    def tables_of(self, paper: str) -> tuple[TableNumbers, ...]:
        """Return the tables of a paper."""
        return tuple(table for table in self.tables if table.name.partition("/")[0] == paper)

    def runs_on(self, dataset: str) -> tuple[RunRecord, ...]:
        """Return the runs on a data set."""
        return tuple(record for record in self.runs.values() if record.run.dataset == dataset)


@dataclass(kw_only=True)
class _Uses:
    """What tables ask of one run."""

    experiments: set[str] = field(default_factory=set)
    protocols: set[str] = field(default_factory=set)


def load_report(catalog: Catalog, results: Results, *, frames_of: Iterable[str] = ()) -> Report:
    """Judge every table of every paper and look up every run behind them.

    Args:
        catalog: what is declared.
        results: the result files.
        frames_of: real data sets whose frames may stand in the pages; by default none, for they must not be published.

    Raises:
        InputError: if one of ``frames_of`` is no data set.
    """
    frames = frozenset(frames_of)
    for name in sorted(frames - set(catalog.datasets)):
        raise unknown_name("data set", name, sorted(catalog.datasets))
    others = [
        f"{paper}/{table.id}"
        for paper, folder in sorted(catalog.papers.items())
        for table in sorted(folder.tables.values(), key=_as_printed)
    ]
    names = dict.fromkeys([*catalog.suite.tables, *others])
    tables = tuple(build_table(catalog, results, name) for name in names)
    uses = _uses(tables)
    runs = planned_runs(tuple(table.plan for table in tables))
    ordered = sorted(runs.values(), key=lambda run: (min(uses[run.run_id].experiments), run.dataset, run.split, run.seed))
    records = {run.run_id: _record(run, uses[run.run_id], results) for run in ordered}
    return Report(catalog=catalog, results=results, tables=tables, runs=records, frames_of=frames)


def scored_protocols(record: RunRecord) -> tuple[str, ...]:
    """Return the protocols that a run has readable metrics files of; none of a run that failed or is damaged."""
    if record.state != "done":
        return ()
    return tuple(name for name, read in record.metrics.items() if isinstance(read, Metrics))


def _uses(tables: tuple[TableNumbers, ...]) -> dict[str, _Uses]:
    uses: dict[str, _Uses] = {}
    for table in tables:
        paper = table.name.partition("/")[0]
        for cell in (cell for row in table.plan.cells for cell in row):
            for entry in cell.metrics:
                use = uses.setdefault(entry.run.run_id, _Uses())
                use.experiments.add(full_name(paper, cell.row.experiment))
                use.protocols.add(entry.protocol)
    return uses


def _record(run: Run, use: _Uses, results: Results) -> RunRecord:
    protocols = tuple(sorted(use.protocols | set(results.scored_protocols(run.folder))))
    metrics = {name: results.metrics(f"{run.folder}/metrics/{name}.json") for name in protocols}
    plain = [results.plain(f"{run.folder}/{name}.json") for name in ("run", "manifest")]
    files = [*metrics.values(), *plain, results.status(run.folder), results.history(run.folder)]
    damaged = tuple(file for file in files if isinstance(file, Damaged))
    return RunRecord(
        run=run,
        experiments=tuple(sorted(use.experiments)),
        protocols=protocols,
        metrics=metrics,
        damaged=damaged,
        state=_state(run, results, scored=any(isinstance(file, Metrics) for file in metrics.values()), damaged=bool(damaged)),
        failure=results.failure(run.folder),
        other_code=_other_code(run, results),
    )


def _other_code(run: Run, results: Results) -> bool:
    """Tell whether a manifest names other code than this clone's; of a run without a readable one nothing is known."""
    manifest = results.manifest(run.folder)
    made_by = manifest.get("code_sha256") if isinstance(manifest, dict) else None
    method = run.settings.method
    return made_by is not None and made_by != results.once(("code", method), lambda: code_sha256(method))


def _state(run: Run, results: Results, *, scored: bool, damaged: bool) -> str:
    if results.failure(run.folder) is not None:
        return "failed"
    if damaged:
        return "damaged file"
    if scored:
        return "done"
    status = results.status(run.folder)
    if isinstance(status, RunStatus) and status.state == "interrupted":
        return "interrupted"
    return "unfinished" if (results.folder / run.folder).is_dir() else "not run"


def _as_printed(table: Table) -> tuple[bool, list[tuple[int, str]]]:
    """Return a table's place among those of its paper: figures behind the tables, each by its number."""
    numbers = [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", table.id)]
    return table.kind == "figure", numbers
