"""What a suite needs: for every cell of its tables the runs and metrics behind it, or the reason why there are none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from reproid.catalog.catalog import Catalog, full_name, load_catalog, suite_names
from reproid.catalog.costs import CostSettings, PlannedCost, make_cost
from reproid.catalog.datasets import Availability, availability
from reproid.catalog.media import PlannedMedia, plan_media
from reproid.catalog.papers import Column, Row, Table
from reproid.catalog.runs import Run, make_run, training_of
from reproid.catalog.settings import Settings
from reproid.errors import InputError

Planned = TypeVar("Planned", Run, PlannedMedia, PlannedCost)


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
    return _Planner(catalog).table(name)


def plan_suite(catalog: Catalog, *, all_data: bool = False) -> tuple[PlannedTable, ...]:
    """Return the plans of the suite's tables, in its order.

    Args:
        catalog: everything that is declared.
        all_data: plan as if every data set were on this machine, withdrawn ones too: for estimates.
    """
    planner = _Planner(catalog, all_data=all_data)
    return tuple(planner.table(name) for name in catalog.suite.tables)


def planned_runs(tables: tuple[PlannedTable, ...]) -> dict[str, Run]:
    """Return the runs behind the tables by run id; equal settings share a run."""
    runs = {entry.run.run_id: entry.run for table in tables for entry in table.metrics()}
    return dict(sorted(runs.items()))


def with_trainings(runs: dict[str, Run]) -> dict[str, Run]:
    """Return runs by run id, and beside them the runs whose trainings they test."""
    return {run.run_id: run for run in map(training_of, runs.values())} | runs


def find_run(catalog: Catalog, run_id: str) -> Run:
    """Return the planned run of this id: of the catalog's suite, or else of another suite with the same params.yaml.

    A training that planned runs share is found too, where no table shows its own test.

    Raises:
        InputError: if no suite plans it.
    """
    return _find(catalog, lambda tables: with_trainings(planned_runs(tables)), "run", run_id)


def planned_media(tables: tuple[PlannedTable, ...]) -> dict[str, PlannedMedia]:
    """Return the media that the runs behind the tables read, by media id; none where no method requires groups of pictures."""
    found = (plan_media(run) for run in planned_runs(tables).values())
    return dict(sorted((plan.media_id, plan) for plan in found if plan is not None))


def find_media(catalog: Catalog, media_id: str) -> PlannedMedia:
    """Return the planned media of this id: of the catalog's suite, or else of another suite with the same params.yaml.

    Raises:
        InputError: if no suite plans it.
    """
    return _find(catalog, planned_media, "media", media_id)


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
    return _find(catalog, _planned_costs, "cost", cost_id)


def _planned_costs(tables: tuple[PlannedTable, ...]) -> dict[str, PlannedCost]:
    return {cost.cost_id: cost for table in tables for cost in table.costs()}


def _find(
    catalog: Catalog, planned: Callable[[tuple[PlannedTable, ...]], dict[str, Planned]], what: str, identity: str
) -> Planned:
    for suite in [catalog.suite.name, *suite_names(catalog.root)]:
        other = catalog if suite == catalog.suite.name else load_catalog(catalog.root, suite=suite)
        found = planned(plan_suite(other)).get(identity)
        if found is not None:
            return found
    raise InputError(
        "no suite plans it",
        where=f"{what} {identity}",
        fix="params.yaml or a file of papers/ or suites/ has changed since it was planned: run the workflow again",
    )


class _Planner:
    """Plans tables. Columns, rows and tables share settings and runs: each is made once, so that a large suite is
    planned ten times as fast.

    Args:
        catalog: everything that is declared.
        all_data: every data set counts as available.
    """

    def __init__(self, catalog: Catalog, *, all_data: bool = False) -> None:
        self._catalog, self._all_data = catalog, all_data
        self._states: dict[str, Availability] = {}
        self._costs: dict[str, PlannedCost] = {}
        self._settings: dict[str, Settings] = {}
        self._runs: dict[tuple[str, str], tuple[Run, ...]] = {}

    def table(self, name: str) -> PlannedTable:
        """As `plan_table`."""
        table = self._catalog.table(name)
        cells = tuple(tuple(self._row(name.partition("/")[0], table, row)) for row in table.rows)
        return PlannedTable(name=name, table=table, cells=cells)

    def _row(self, paper: str, table: Table, row: Row) -> Iterator[PlannedCell]:
        experiment = full_name(paper, row.experiment)
        printed = row.printed or (None,) * len(table.columns)
        for column, value in zip(table.columns, printed, strict=True):
            yield self._cell(experiment, table, row, column, value)

    def _cell(self, experiment: str, table: Table, row: Row, column: Column, printed: float | None) -> PlannedCell:
        def without_run(reason: str, detail: str) -> PlannedCell:
            return PlannedCell(row=row, column=column, printed=printed, reason=reason, detail=detail)

        catalog = self._catalog
        method = catalog.method_of(experiment)
        if method not in catalog.methods:
            return without_run("method missing", f"method '{method}' is not implemented yet")
        if not catalog.suite.includes(experiment, column.dataset):
            return without_run("not run", f"suite '{catalog.suite.name}' leaves it out")
        if column.dataset is None:
            return PlannedCell(row=row, column=column, printed=printed, cost=self._cost(experiment))
        name = catalog.suite.datasets.get(column.dataset)
        if name is None:
            return without_run("not run", f"suite '{catalog.suite.name}' has nothing in place of {column.dataset}")
        dataset, state = catalog.datasets[name], self._state(name)
        if state != "available":
            return without_run(f"data {state}", f"{dataset.title} is not on this machine")
        protocol = table.protocols[column.dataset]
        metrics = tuple(PlannedMetrics(run=run, protocol=protocol) for run in self._runs_of(experiment, name))
        synthetic = dataset.source == "synthetic"
        return PlannedCell(row=row, column=column, printed=printed, metrics=metrics, dataset=name, synthetic=synthetic)

    def _state(self, name: str) -> Availability:
        if name not in self._states:
            found = availability(name, self._catalog.datasets[name], self._catalog.root)
            self._states[name] = "available" if self._all_data else found
        return self._states[name]

    def _cost(self, experiment: str) -> PlannedCost:
        if experiment not in self._costs:
            self._costs[experiment] = plan_cost(self._catalog, experiment)
        return self._costs[experiment]

    def _runs_of(self, experiment: str, name: str) -> tuple[Run, ...]:
        """Return one run per split and seed."""
        if (experiment, name) not in self._runs:
            catalog, dataset = self._catalog, self._catalog.datasets[name]
            if experiment not in self._settings:
                self._settings[experiment] = catalog.resolve(experiment)
            settings = self._settings[experiment]
            revision = catalog.methods[settings.method].revision
            self._runs[experiment, name] = tuple(
                make_run(settings, dataset=name, data=dataset, split=split, seed=seed, revision=revision)
                for split in dataset.splits
                for seed in catalog.seeds
            )
        return self._runs[experiment, name]
