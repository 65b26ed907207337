"""The first page: what this is, the suite, papers x data sets, the runs."""

from dataclasses import dataclass

from reproid.report.cells import Cell
from reproid.report.model import Report
from reproid.report.pages._grid import status_counts
from reproid.report.pages._parts import Fact, Link, RunLine, Word, run_lines
from reproid.report.pages.paper import Meaning, meanings
from reproid.report.status import Status
from reproid.report.text import number, page_name

_MOST_RUNS = 24


@dataclass(frozen=True, kw_only=True)
class MatrixRow:
    """One paper."""

    paper: Link
    title: str
    cells: tuple[tuple[Word, ...], ...]
    """Per column, how many cells of the paper's tables have which status; empty where its tables have no such column."""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A data set that the suite uses."""

    replaced: str
    """The papers' data set that it stands in for; empty where it is that one."""
    used: Link
    note: str


@dataclass(frozen=True, kw_only=True)
class IndexView:
    """The first page."""

    suite: str
    about: str
    seeds: str
    swaps: tuple[Swap, ...]
    counts: tuple[Fact, ...]
    failed: tuple[RunLine, ...]
    columns: tuple[Link, ...]
    matrix: tuple[MatrixRow, ...]
    meanings: tuple[Meaning, ...]
    runs: tuple[RunLine, ...]
    runs_open: bool
    """Few enough to be shown at once."""
    datasets: tuple[Link, ...]


def index_view(report: Report) -> IndexView:
    """Return the first page."""
    catalog = report.catalog
    titles = {name: dataset.title for name, dataset in catalog.datasets.items()}
    names = _column_names(report)
    lines = run_lines(report.runs.values(), titles, root="")
    cells = [cell for table in report.tables for row in table.rows for cell in row.cells]
    return IndexView(
        suite=catalog.suite.name,
        about=catalog.suite.about,
        seeds=", ".join(map(str, catalog.seeds)),
        swaps=tuple(_swap(report, name, used) for name, used in sorted(catalog.suite.datasets.items())),
        counts=_counts(report, cells),
        failed=tuple(line for line in lines if line.state.text in ("failed", "damaged file")),
        columns=tuple(Link(text=titles[name], href=dataset_href(name)) if name else Link(text="cost") for name in names),
        matrix=tuple(_matrix_row(report, paper, names) for paper in catalog.papers),
        meanings=meanings({cell.status for cell in cells}),
        runs=lines,
        runs_open=len(lines) <= _MOST_RUNS,
        datasets=tuple(Link(text=title, href=dataset_href(name)) for name, title in titles.items()),
    )


def dataset_href(name: str, root: str = "") -> str:
    """Return the address of a data set's page."""
    return f"{root}datasets/{page_name('data set', name)}"


def _column_names(report: Report) -> tuple[str | None, ...]:
    """Return the data sets that a table has a column of, in the order of datasets.yaml; None, last, for cost."""
    found = {column.dataset for table in report.tables for column in table.columns}
    real = [name for name in report.catalog.datasets if name in found]
    return (*real, None) if None in found else tuple(real)


def _matrix_row(report: Report, paper: str, names: tuple[str | None, ...]) -> MatrixRow:
    record = report.catalog.papers[paper].paper
    found: dict[str | None, list[Cell]] = {name: [] for name in names}
    for table in report.tables_of(paper):
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                found[column.dataset].append(cell)
    href = f"papers/{page_name('paper', paper)}"
    return MatrixRow(
        paper=Link(text=record.short, href=href),
        title=f"{record.title} ({record.venue}, {record.year})",
        cells=tuple(status_counts(found[name]) for name in names),
    )


def _swap(report: Report, printed: str, used: str) -> Swap:
    datasets = report.catalog.datasets
    replaced = datasets[printed].title if printed != used else ""
    note = "synthetic" if datasets[used].source == "synthetic" else ""
    return Swap(replaced=replaced, used=Link(text=datasets[used].title, href=dataset_href(used)), note=note)


def _counts(report: Report, cells: list[Cell]) -> tuple[Fact, ...]:
    states = [record.state for record in report.runs.values()]
    reproduced = sum(cell.status is Status.REPRODUCED for cell in cells)
    return (
        Fact(name="papers", value=number(len(report.catalog.papers), 0)),
        Fact(name="tables", value=number(len(report.tables), 0)),
        Fact(
            name="cells with a number",
            value=f"{number(sum(cell.own is not None for cell in cells), 0)} of {number(len(cells), 0)}",
        ),
        Fact(name="cells reproduced", value=number(reproduced, 0)),
        Fact(name="runs done", value=f"{number(states.count('done'), 0)} of {number(len(states), 0)}"),
        Fact(name="runs failed", value=number(states.count("failed"), 0)),
    )
