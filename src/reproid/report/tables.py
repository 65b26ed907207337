"""A table as numbers: every cell of the plan judged. The pages and the JSON file are made of the same."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reproid.catalog.catalog import Catalog
from reproid.catalog.papers import Column, Row, Table
from reproid.catalog.plan import PlannedTable, plan_table
from reproid.catalog.protocols import get_protocol
from reproid.report.cells import Cell, desk_for, judge_cell
from reproid.report.results import Results

if TYPE_CHECKING:
    from reproid.report.paired import Test

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class ColumnHead:
    """One column: what was printed, what is used here."""

    id: str
    head: str
    metric: str
    dataset: str | None
    """As the paper names it; none for cost."""
    used: str | None = None
    """The data set that the suite puts in its place; none where it has nothing."""
    synthetic: bool = False
    protocol: str | None = None
    revision: int | None = None
    """The protocol's."""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row."""

    label: str
    """Unique in the table."""
    labels: tuple[str, ...]
    experiment: str
    note: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class TableNumbers:
    """A table, judged."""

    name: str
    """<paper>/<table>"""
    suite: str
    in_suite: bool
    table: Table
    columns: tuple[ColumnHead, ...]
    rows: tuple[TableRow, ...]
    plan: PlannedTable


def build_table(catalog: Catalog, results: Results, name: str) -> TableNumbers:
    """Return the table ``<paper>/<table>`` with every cell judged by the result files that exist.

    Raises:
        InputError: if no paper has the table.
    """
    plan = plan_table(catalog, name)
    paper = name.partition("/")[0]
    labels = row_labels(plan.table)
    rows = []
    for label, planned in zip(labels, plan.cells, strict=True):
        row, desk = planned[0].row, desk_for(catalog, results, paper, planned)
        cells = tuple(judge_cell(cell, desk) for cell in planned)
        rows.append(TableRow(label=label, labels=row.labels, experiment=row.experiment, note=row.note, cells=cells))
    return TableNumbers(
        name=name,
        suite=catalog.suite.name,
        in_suite=name in catalog.suite.tables,
        table=plan.table,
        columns=tuple(_column_head(catalog, plan.table, column) for column in plan.table.columns),
        rows=tuple(rows),
        plan=plan,
    )


def row_labels(table: Table) -> tuple[str, ...]:
    """Return one label per row: its words joined; equal ones are told apart by the experiment."""
    joined = [" / ".join(row.labels) for row in table.rows]
    return tuple(_unique(label, row, joined.count(label)) for label, row in zip(joined, table.rows, strict=True))


def table_json(numbers: TableNumbers, tests: Iterable["Test"] = ()) -> dict[str, Any]:
    """Return a table as plain data for its JSON file: points for accuracy, the column's unit for cost.

    Args:
        numbers: the table.
        tests: those of its rows against its baseline, see `reproid.report.paired`.
    """
    return {
        "schema": SCHEMA,
        "table": numbers.name,
        "number": numbers.table.number,
        "title": numbers.table.title,
        "suite": numbers.suite,
        "columns": [asdict(column) for column in numbers.columns],
        "rows": [
            {
                "label": row.label,
                "labels": list(row.labels),
                "experiment": row.experiment,
                "note": row.note,
                "cells": [_cell_json(cell) for cell in row.cells],
            }
            for row in numbers.rows
        ],
        "tests": [asdict(test) | {"more_than_chance": test.more_than_chance} for test in tests],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    own = asdict(cell.own) if cell.own is not None else None
    return {
        "column": cell.column,
        "printed": cell.printed,
        "own": own,
        "difference": cell.difference,
        "status": str(cell.status),
        "detail": cell.detail,
        "runs": list(cell.runs),
    }


def _column_head(catalog: Catalog, table: Table, column: Column) -> ColumnHead:
    if column.dataset is None:
        return ColumnHead(id=column.id, head=column.head, metric=column.metric, dataset=None)
    used = catalog.suite.datasets.get(column.dataset)
    protocol = get_protocol(table.protocols[column.dataset])
    return ColumnHead(
        id=column.id,
        head=column.head,
        metric=column.metric,
        dataset=column.dataset,
        used=used,
        synthetic=used is not None and catalog.datasets[used].source == "synthetic",
        protocol=protocol.name,
        revision=protocol.revision,
    )


def _unique(label: str, row: Row, times: int) -> str:
    return label if times == 1 else f"{label} ({row.experiment})"
