"""The suite's numbers as nested plain JSON, for Git and DVC: rebuilt from exactly the runs that the suite names."""

from typing import Any, get_args

from reproid.catalog.catalog import Catalog, full_name
from reproid.catalog.papers import COST_METRICS, Metric
from reproid.catalog.plan import planned_runs
from reproid.catalog.runs import Run
from reproid.report.results import Metrics, Results
from reproid.report.tables import TableNumbers, build_table

SCHEMA = 1
DECIMALS = 6
ACCURACY_METRICS: tuple[str, ...] = tuple(metric for metric in get_args(Metric) if metric not in COST_METRICS)


def suite_tables(catalog: Catalog, results: Results) -> tuple[TableNumbers, ...]:
    """Return the tables of the suite, judged, in its order."""
    return tuple(build_table(catalog, results, name) for name in catalog.suite.tables)


def build_summary(catalog: Catalog, results: Results) -> dict[str, Any]:
    """Return the summary: own numbers of every table (points) and the metrics of every run (fractions 0-1); null for none.

    Equal result files give equal data in equal order: no times, no paths.
    """
    tables = suite_tables(catalog, results)
    runs = planned_runs(tuple(table.plan for table in tables))
    experiments = _experiments(tables)
    return {
        "schema": SCHEMA,
        "suite": catalog.suite.name,
        "units": {"tables": "points; cost in the unit of its column", "runs": "fractions"},
        "tables": {table.name: _table(table) for table in sorted(tables, key=lambda table: table.name)},
        "runs": {run_id: _run(run, sorted(experiments[run_id]), tables, results) for run_id, run in sorted(runs.items())},
    }


def _table(table: TableNumbers) -> dict[str, Any]:
    return {row.label: {cell.column: cell.own.mean if cell.own else None for cell in row.cells} for row in table.rows}


def _experiments(tables: tuple[TableNumbers, ...]) -> dict[str, set[str]]:
    """Return run id -> the experiments that it serves."""
    names: dict[str, set[str]] = {}
    for table in tables:
        for planned in table.plan.cells:
            for cell in planned:
                for entry in cell.metrics:
                    name = full_name(table.name.partition("/")[0], cell.row.experiment)
                    names.setdefault(entry.run.run_id, set()).add(name)
    return names


def _run(run: Run, experiments: list[str], tables: tuple[TableNumbers, ...], results: Results) -> dict[str, Any]:
    protocols = {entry.protocol for table in tables for entry in table.plan.metrics() if entry.run.run_id == run.run_id}
    return {
        "dataset": run.dataset,
        "split": run.split,
        "seed": run.seed,
        "experiments": ", ".join(experiments),
        "protocols": {name: _metrics(results, f"{run.folder}/metrics/{name}.json") for name in sorted(protocols)},
    }


def _metrics(results: Results, path: str) -> dict[str, Any] | None:
    read = results.metrics(path)
    if not isinstance(read, Metrics):
        return None
    values = {metric: read.value(metric) for metric in ACCURACY_METRICS}
    found = {metric: round(value, DECIMALS) for metric, value in values.items() if value is not None}
    return {"revision": read.protocol.revision, **found}
