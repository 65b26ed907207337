"""A table as a grid of words: heads with their data set and protocol, cells with printed and own number, difference, status."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from reproid.report.cells import Cell
from reproid.report.figures import Chart
from reproid.report.model import Report
from reproid.report.pages._paper_figures import table_curves
from reproid.report.pages._parts import Link, Value, Word, run_href
from reproid.report.paired import Test, table_tests
from reproid.report.status import MEANINGS, Status
from reproid.report.tables import ColumnHead, TableNumbers
from reproid.report.text import exact, number, page_name, plural, signed

_MOST_LINKS = 5


@dataclass(frozen=True, kw_only=True)
class HeadGroup:
    """Neighbouring columns of one data set."""

    title: str
    """As the paper names the data set; empty for cost."""
    href: str | None
    span: int
    used: str
    """What is used in the data set's place, or that nothing is; empty where it is the same."""
    protocol: str
    protocol_href: str | None


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One cell in words."""

    own: Value | None
    href: str | None
    """The page of its run; of the first, where there are several."""
    spread: str
    """± sd"""
    basis: str
    """What the mean rests on."""
    detail: str
    """What the status does not say by itself."""
    culprits: tuple[Link, ...]
    """Runs that failed or whose files are damaged; the first few."""
    interval: str
    runs: tuple[Link, ...]
    printed: Value | None
    difference: str
    status: Word
    sort: str
    """Exact number to sort by; empty for none."""


@dataclass(frozen=True, kw_only=True)
class RowView:
    """One row in words."""

    labels: tuple[str, ...]
    note: str
    plain: bool
    """No own number in it."""
    cells: tuple[CellView, ...]


@dataclass(frozen=True, kw_only=True)
class TestView:
    """One test against the baseline in words."""

    row: str
    column: str
    difference: Value
    interval: str
    p: str
    p_holm: str
    verdict: Word
    basis: str


@dataclass(frozen=True, kw_only=True)
class TableView:
    """One table in words."""

    id: str
    heading: str
    """Table I, Figure 5."""
    title: str
    note: str
    outside: str
    """That the suite does not name it; empty when it does."""
    label_head: str
    groups: tuple[HeadGroup, ...]
    heads: tuple[str, ...]
    rows: tuple[RowView, ...]
    counts: tuple[Word, ...]
    curves: tuple[Chart, ...]
    """The same as curves; none where the table asks for none."""
    command: str
    baseline: str
    """What the tests compare with; empty where nothing is tested."""
    tests: tuple[TestView, ...]
    tests_note: str


def table_view(report: Report, table: TableNumbers) -> TableView:
    """Return a judged table in words."""
    decimals = [_decimals(cells) for cells in zip(*(row.cells for row in table.rows), strict=True)]
    outside = "" if table.in_suite else f"Suite “{table.suite}” does not name this table."
    tests = table_tests(table, report.results)
    return TableView(
        id=table.table.id,
        heading=table.table.heading,
        title=table.table.title,
        note=table.table.note or "",
        outside=outside,
        label_head=" / ".join(table.table.label_heads),
        groups=tuple(
            _group(report, list(columns)) for _, columns in groupby(table.columns, key=lambda c: (c.dataset, c.protocol))
        ),
        heads=tuple(column.head for column in table.columns),
        rows=tuple(
            RowView(
                labels=row.labels,
                note=row.note or "",
                plain=all(cell.own is None for cell in row.cells),
                cells=tuple(_cell(report, cell, digits) for cell, digits in zip(row.cells, decimals, strict=True)),
            )
            for row in table.rows
        ),
        counts=status_counts(cell for row in table.rows for cell in row.cells),
        curves=table_curves(report, table),
        command=f"snakemake --cores all results/tables/{table.name}.json",
        baseline=" and ".join(dict.fromkeys(test.baseline for test in tests)),
        tests=tuple(_test(table, test) for test in tests),
        tests_note=_tests_note(tests),
    )


def _test(table: TableNumbers, test: Test) -> TestView:
    column = next(head for head in table.columns if head.id == test.column)
    real = test.more_than_chance
    seeds = plural(test.seeds[0], "seed") if test.seeds[0] == test.seeds[1] else f"{test.seeds[0]} and {test.seeds[1]} seeds"
    return TestView(
        row=test.row,
        column=f"{column.head}, {column.used}" if column.used else column.head,
        difference=Value(text=signed(test.difference), exact=exact(test.difference)),
        interval=f"{signed(test.ci95[0])} to {signed(test.ci95[1])}",
        p=f"{test.p:.4f}",
        p_holm=f"{test.p_holm:.4f}",
        verdict=Word(text="more than chance" if real else "may be chance", tone="aside" if real else "quiet"),
        basis=f"{seeds}, {plural(test.queries, 'query', 'queries')}, {plural(test.persons, 'person')}",
    )


def _tests_note(tests: tuple[Test, ...]) -> str:
    single = any(min(test.seeds) < 2 for test in tests)
    one = " One seed tells whether these two models differ, not whether their methods do: training again may turn the sign."
    return (
        f"Differences in points, with the 95 % interval of a paired bootstrap over persons; p of a permutation test that swaps "
        f"the two rows person by person, and p after Holm’s correction for the {plural(len(tests), 'test')} of this table."
    ) + (one if single else "")


def status_counts(cells: Iterable[Cell]) -> tuple[Word, ...]:
    """Return how many cells have each status, in the order of the statuses."""
    found = [cell.status for cell in cells]
    present = [status for status in Status if status in found]
    return tuple(Word(text=f"{found.count(status)} {status}", tone=status.tone, title=MEANINGS[status]) for status in present)


def _group(report: Report, columns: list[ColumnHead]) -> HeadGroup:
    first = columns[0]
    if first.dataset is None:
        return HeadGroup(title="", href=None, span=len(columns), used="", protocol="", protocol_href=None)
    datasets = report.catalog.datasets
    used = ""
    if first.used is None:
        used = "nothing in this suite"
    elif first.used != first.dataset:
        used = f"here: {datasets[first.used].title}" + (", synthetic" if first.synthetic else "")
    return HeadGroup(
        title=datasets[first.dataset].title,
        href=f"../datasets/{page_name('data set', first.used or first.dataset)}",
        span=len(columns),
        used=used,
        protocol=f"{first.protocol}, revision {first.revision}",
        protocol_href=f"../protocols.html#{first.protocol}",
    )


def _cell(report: Report, cell: Cell, decimals: int) -> CellView:
    own, many = cell.own, len(cell.runs) > 1
    names = [report.runs[run_id].run for run_id in cell.runs] if many and len(cell.runs) <= _MOST_LINKS else []
    return CellView(
        own=_value(own.mean, max(decimals, 1)) if own else None,
        href=run_href(cell.runs[0]) if cell.runs else None,
        spread=f"± {number(own.sd)}" if own and own.sd is not None else "",
        basis=_basis(cell),
        interval=f"95 %: {number(own.ci95[0])} to {number(own.ci95[1])}" if own and own.ci95 else "",
        detail=cell.detail if own or cell.culprits else "",
        culprits=tuple(Link(text=run_id, href=run_href(run_id)) for run_id in cell.culprits[:_MOST_LINKS]),
        runs=tuple(Link(text=f"seed {run.seed}", href=run_href(run.run_id)) for run in names),
        printed=_value(cell.printed, decimals) if cell.printed is not None else None,
        difference=signed(cell.difference) if cell.difference is not None else "",
        status=Word(text=str(cell.status), tone=cell.status.tone, title=cell.detail or MEANINGS[cell.status]),
        sort=exact(own.mean) if own else "" if cell.printed is None else exact(cell.printed),
    )


def _basis(cell: Cell) -> str:
    if cell.own is None or len(cell.runs) < 2:
        return ""
    splits = f", {plural(cell.own.splits, 'split')} each" if cell.own.splits > 1 else ""
    return plural(cell.own.seeds, "seed") + splits


def _decimals(cells: Iterable[Cell]) -> int:
    """Return with how many decimals a column is printed."""
    printed = [f"{cell.printed:.3f}".rstrip("0") for cell in cells if cell.printed is not None]
    return max((len(text.partition(".")[2]) for text in printed), default=1)


def _value(value: float, decimals: int) -> Value:
    return Value(text=number(value, decimals), exact=exact(value))
