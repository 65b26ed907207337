"""What a suite needs: for every cell of its tables the runs and metrics behind it, or the reason why there are none."""

from collections.abc import Iterator
from dataclasses import dataclass

from reproid.catalog.catalog import Catalog, full_name, load_catalog, suite_names
from reproid.catalog.costs import CostSettings, PlannedCost, make_cost
from reproid.catalog.datasets import availability
from reproid.catalog.papers import Column, Row, Table
from reproid.catalog.runs import Run, make_run
from reproid.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PlannedMetrics:
    """One metrics file: a run scored under a protocol."""

    run: Run
    protocol: str

    @property
    def path(self) -> str:
        """Path below results/."""
        return f"{self.run.folder}/metrics/{self.protocol}.json"


@dataclass(frozen=True, kw_only=True)
class PlannedCell:
    """One number of a table: what it is made of, or why it cannot be had."""

    row: Row
    column: Column
    printed: float | None
    metrics: tuple[PlannedMetrics, ...] = ()
    """One per seed and split; empty for cost columns and for cells with a reason."""
    cost: PlannedCost | None = None
    """What a cost column shows, measured at the paper's own size in every suite."""
    dataset: str | None = None
    """The data set that is used, which a suite may put in the printed one's place."""
    synthetic: bool = False
    reason: str | None = None
    """method missing, data missing, data withdrawn, or not run: why no run is planned."""
    detail: str = ""
    """The reason in a sentence."""


@dataclass(frozen=True, kw_only=True)
class PlannedTable:
    """A table with its cells, row by row."""

    name: str
    """<paper>/<table>"""
    table: Table
    cells: tuple[tuple[PlannedCell, ...], ...]

    def metrics(self) -> tuple[PlannedMetrics, ...]:
        """Return every metrics file that the table needs, once, in a fixed order."""
        found = {entry.path: entry for row in self.cells for cell in row for entry in cell.metrics}
        return tuple(found[path] for path in sorted(found))

    def costs(self) -> tuple[PlannedCost, ...]:
        """Return every measurement that the table needs, once, in a fixed order."""
        found = {cell.cost.path: cell.cost for row in self.cells for cell in row if cell.cost is not None}
        return tuple(found[path] for path in sorted(found))


def plan_table(catalog: Catalog, name: str) -> PlannedTable:
    """Return the plan of the table ``<paper>/<table>``.

    Raises:
        InputError: if there is no such table, or an implemented experiment's settings do not fit.
    """
    table = catalog.table(name)
    cells = tuple(tuple(_plan_row(catalog, name.partition("/")[0], table, row)) for row in table.rows)
    return PlannedTable(name=name, table=table, cells=cells)


def plan_suite(catalog: Catalog) -> tuple[PlannedTable, ...]:
    """Return the plans of the suite's tables, in its order."""
    return tuple(plan_table(catalog, name) for name in catalog.suite.tables)


def planned_runs(tables: tuple[PlannedTable, ...]) -> dict[str, Run]:
    """Return the runs behind the tables by run id; equal settings share a run."""
    runs = {entry.run.run_id: entry.run for table in tables for entry in table.metrics()}
    return dict(sorted(runs.items()))


def find_run(catalog: Catalog, run_id: str) -> Run:
    """Return the planned run of this id: of the catalog's suite, or else of another suite with the same params.yaml.

    Raises:
        InputError: if no suite plans it.
    """
    for suite in [catalog.suite.name, *suite_names(catalog.root)]:
        other = catalog if suite == catalog.suite.name else load_catalog(catalog.root, suite=suite)
        runs = planned_runs(plan_suite(other))
        if run_id in runs:
            return runs[run_id]
    raise InputError(
        "no suite plans this run",
        where=f"run {run_id}",
        fix="params.yaml or a file of papers/ or suites/ has changed since it was planned: run the workflow again",
    )


def plan_cost(catalog: Catalog, experiment: str, measured: CostSettings | None = None) -> PlannedCost:
    """Return the measurement of ``<paper>/<experiment>`` at its paper's own size.

    Args:
        catalog: everything that is declared.
        experiment: its name.
        measured: what is timed; by default, what the suite says.

    Raises:
        InputError: if there is no such experiment, or its method is not implemented.
    """
    settings = catalog.resolve(experiment, scaled=False)
    return make_cost(settings, revision=catalog.methods[settings.method].revision, measured=measured or catalog.suite.cost)


def find_cost(catalog: Catalog, cost_id: str) -> PlannedCost:
    """Return the planned measurement of this id: of the catalog's suite, or else of another.

    Raises:
        InputError: if no suite plans it.
    """
    for suite in [catalog.suite.name, *suite_names(catalog.root)]:
        other = catalog if suite == catalog.suite.name else load_catalog(catalog.root, suite=suite)
        for table in plan_suite(other):
            for cost in table.costs():
                if cost.cost_id == cost_id:
                    return cost
    raise InputError(
        "no suite plans this measurement",
        where=f"cost {cost_id}",
        fix="A file of papers/ or suites/ has changed since it was planned: run the workflow again",
    )


def _plan_row(catalog: Catalog, paper: str, table: Table, row: Row) -> Iterator[PlannedCell]:
    experiment = full_name(paper, row.experiment)
    printed = row.printed or (None,) * len(table.columns)
    for column, value in zip(table.columns, printed, strict=True):
        yield _plan_cell(catalog, experiment, table, row, column, value)


def _plan_cell(catalog: Catalog, experiment: str, table: Table, row: Row, column: Column, printed: float | None) -> PlannedCell:
    def without_run(reason: str, detail: str) -> PlannedCell:
        return PlannedCell(row=row, column=column, printed=printed, reason=reason, detail=detail)

    method = catalog.method_of(experiment)
    if method not in catalog.methods:
        return without_run("method missing", f"method '{method}' is not implemented yet")
    if not catalog.suite.includes(experiment, column.dataset):
        return without_run("not run", f"suite '{catalog.suite.name}' leaves it out")
    if column.dataset is None:
        return PlannedCell(row=row, column=column, printed=printed, cost=plan_cost(catalog, experiment))
    name = catalog.suite.datasets.get(column.dataset)
    if name is None:
        return without_run("not run", f"suite '{catalog.suite.name}' has nothing in place of {column.dataset}")
    dataset = catalog.datasets[name]
    state = availability(name, dataset, catalog.root)
    if state != "available":
        return without_run(f"data {state}", f"{dataset.title} is not on this machine")
    settings = catalog.resolve(experiment)
    revision = catalog.methods[method].revision
    metrics = tuple(
        PlannedMetrics(
            run=make_run(settings, dataset=name, data=dataset, split=split, seed=seed, revision=revision),
            protocol=table.protocols[column.dataset],
        )
        for split in dataset.splits
        for seed in catalog.seeds
    )
    synthetic = dataset.source == "synthetic"
    return PlannedCell(row=row, column=column, printed=printed, metrics=metrics, dataset=name, synthetic=synthetic)
