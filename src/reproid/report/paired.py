"""Is a gain over the table's baseline more than chance? Paired tests, person by person, with Holm's correction in the table."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from reproid.catalog.plan import PlannedCell
from reproid.errors import InputError
from reproid.report.cells import Cell
from reproid.report.results import Results
from reproid.report.status import Status
from reproid.report.tables import TableNumbers

if TYPE_CHECKING:
    from reproid.retrieval.results import QueryTable
    from reproid.retrieval.significance import Difference

LEVEL = 0.05
_UNUSABLE = (Status.FAILED, Status.DAMAGED, Status.PROTOCOL_CHANGED)


@dataclass(frozen=True, kw_only=True)
class Test:
    """One metric of one row against that of the baseline, on the queries that both score; in points."""

    __test__ = False  # no test of pytest's

    row: str
    baseline: str
    column: str
    difference: float
    """Row minus baseline."""
    ci95: tuple[float, float]
    """Paired bootstrap over persons."""
    p: float
    """Permutation test, two-sided."""
    p_holm: float
    """Corrected for all tests of the table."""
    seeds: tuple[int, int]
    """Of the row and of the baseline."""
    queries: int
    persons: int
    runs: tuple[str, str]
    """The first run of each."""

    @property
    def more_than_chance(self) -> bool:
        """What the corrected test says."""
        return self.p_holm <= LEVEL


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One row's cells on one data set."""

    label: str
    columns: tuple[tuple[str, str], ...]
    """(column, metric)"""
    tables: tuple["QueryTable", ...]
    """One per seed."""
    run: str
    runs: tuple[str, ...]


def table_tests(numbers: TableNumbers, results: Results) -> tuple[Test, ...]:
    """Return the tests of every row against the baseline: on each data set, the table's first row with a number of our own.

    Rows whose queries cannot be read, and rows that share the baseline's runs, are left out.
    """
    found: tuple[Test, ...] = results.once(("tests", numbers.name, numbers.suite), lambda: _tests(numbers, results))
    return found


def _tests(numbers: TableNumbers, results: Results) -> tuple[Test, ...]:
    pairs = [pair for group in _datasets(numbers) if len(group) > 1 for pair in _against_first(_entries(group, results))]
    if not pairs:
        return ()
    from reproid.retrieval.significance import holm

    tests = [(entry, base, column, found) for entry, base, differences in pairs for column, found in _shown(entry, differences)]
    adjusted = holm([found.p_permutation for *_, found in tests])
    return tuple(_test(*one, p_holm=p) for one, p in zip(tests, adjusted, strict=True))


_RowCells = tuple[str, tuple[tuple[Cell, PlannedCell], ...]]


def _datasets(numbers: TableNumbers) -> list[list[_RowCells]]:
    """Return, data set by data set, the rows with usable own numbers."""
    groups = []
    for dataset, heads in groupby(enumerate(numbers.columns), key=lambda item: item[1].dataset):
        places = [place for place, _ in heads]
        rows: list[_RowCells] = []
        for row, planned in zip(numbers.rows, numbers.plan.cells, strict=True):
            cells = tuple((row.cells[i], planned[i]) for i in places)
            if dataset is not None and all(cell.own and cell.status not in _UNUSABLE for cell, _ in cells):
                rows.append((row.label, cells))
        groups.append(rows)
    return groups


def _entries(rows: Iterable[_RowCells], results: Results) -> list[_Entry]:
    entries = []
    for label, cells in rows:
        try:
            tables = _read(cells[0][1], results)
        except InputError:
            continue
        if tables:
            columns = tuple((cell.column, planned.column.metric) for cell, planned in cells)
            run_ids = tuple(sorted({entry.run.run_id for entry in cells[0][1].metrics}))
            entries.append(
                _Entry(label=label, columns=columns, tables=tables, run=cells[0][1].metrics[0].run.run_id, runs=run_ids)
            )
    return entries


def _read(cell: PlannedCell, results: Results) -> tuple["QueryTable", ...]:
    """Return the queries of each seed that has all splits, those of its splits side by side."""
    from reproid.retrieval.results import join_splits, queries_path, read_queries

    splits = {entry.run.split for entry in cell.metrics}
    seeds: dict[int, dict[str, QueryTable]] = {}
    for entry in cell.metrics:
        path = queries_path(results.folder / entry.path)
        if (results.folder / entry.path).is_file():
            seeds.setdefault(entry.run.seed, {})[entry.run.split] = read_queries(path)
    complete = [tables for _, tables in sorted(seeds.items()) if len(tables) == len(splits)]
    return tuple(join_splits(tables) if len(splits) > 1 else next(iter(tables.values())) for tables in complete)


def _against_first(entries: list[_Entry]) -> list[tuple[_Entry, _Entry, tuple["Difference", ...]]]:
    if len(entries) < 2:
        return []
    from reproid.retrieval.significance import differences_from

    base = entries[0]
    others = [entry for entry in entries[1:] if entry.runs != base.runs]
    try:
        found = differences_from(base.tables, [entry.tables for entry in others])
    except InputError:  # rows scored on different queries cannot be paired
        return []
    return [(entry, base, differences) for entry, differences in zip(others, found, strict=True)]


def _shown(entry: _Entry, differences: tuple["Difference", ...]) -> list[tuple[str, "Difference"]]:
    by_metric = {found.metric: found for found in differences}
    return [(column, by_metric[metric]) for column, metric in entry.columns if metric in by_metric]


def _test(entry: _Entry, base: _Entry, column: str, found: "Difference", *, p_holm: float) -> Test:
    return Test(
        row=entry.label,
        baseline=base.label,
        column=column,
        difference=round(100 * found.difference, 6),
        ci95=(round(100 * found.ci95[0], 6), round(100 * found.ci95[1], 6)),
        p=found.p_permutation,
        p_holm=p_holm,
        seeds=(len(entry.tables), len(base.tables)),
        queries=found.queries,
        persons=found.persons,
        runs=(entry.run, base.run),
    )
