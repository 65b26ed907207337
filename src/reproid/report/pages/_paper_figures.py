"""Figures on a paper's page, of the runs that exist: maps, t-SNE, histories side by side, and tables as curves."""

from collections.abc import Callable
from dataclasses import dataclass

from reproid.catalog.catalog import full_name
from reproid.catalog.papers import Figure
from reproid.report.figures import Chart, Line, line_chart
from reproid.report.inspections import may_show
from reproid.report.model import Report, RunRecord
from reproid.report.pages._curves import STAGE
from reproid.report.pages._figures import Scatter, ShownClip, scatter, shown_clips
from reproid.report.pages._parts import Link, run_href
from reproid.report.results import History
from reproid.report.run_figures import find_figures
from reproid.report.tables import ColumnHead, TableNumbers, TableRow


@dataclass(frozen=True, kw_only=True)
class FigurePart:
    """What is drawn of one experiment."""

    run: Link
    scatter: Scatter | None
    clips: tuple[ShownClip, ...]
    problem: str
    """Why nothing is drawn; empty where something is."""


@dataclass(frozen=True, kw_only=True)
class FigureView:
    """A figure."""

    id: str
    heading: str
    title: str
    note: str
    synthetic: bool
    charts: tuple[Chart, ...]
    runs: tuple[Link, ...]
    """Behind the charts."""
    parts: tuple[FigurePart, ...]
    problem: str
    """Why there is no chart where there should be; empty otherwise."""


def figure_views(report: Report, paper: str) -> tuple[FigureView, ...]:
    """Return the figures of a paper, in the order of their names."""
    return tuple(_view(report, paper, figure) for figure in report.catalog.papers[paper].figures.values())


def _view(report: Report, paper: str, figure: Figure) -> FigureView:
    used = report.catalog.suite.datasets.get(figure.dataset)
    names = tuple(full_name(paper, name) for name in figure.experiments)
    records = {name: _record(report, name, used) for name in names}
    found = {name: record for name, record in records.items() if record is not None}
    drawn = figure.shows != "history"
    charts = () if drawn else history_curves(report, found, figure.names)
    return FigureView(
        id=figure.id,
        heading=f"Figure {figure.number}",
        title=figure.title,
        note=figure.note or "",
        synthetic=used is not None and bool(found) and report.catalog.datasets[used].source == "synthetic",
        charts=charts,
        runs=() if drawn else tuple(_link(name, record) for name, record in found.items()),
        parts=tuple(_part(report, figure, name, record) for name, record in records.items()) if drawn else (),
        problem="" if drawn or charts else "No run of it yet.",
    )


def _record(report: Report, experiment: str, dataset: str | None) -> RunRecord | None:
    """Return the first finished run of an experiment on a data set."""
    found = (record for record in report.runs.values() if experiment in record.experiments and record.run.dataset == dataset)
    return next((record for record in found if record.state == "done"), None)


def _link(name: str, record: RunRecord) -> Link:
    return Link(text=f"{name.partition('/')[2]}, seed {record.run.seed}", href=run_href(record.run.run_id))


def _part(report: Report, figure: Figure, name: str, record: RunRecord | None) -> FigurePart:
    def nothing(problem: str) -> FigurePart:
        run = Link(text=name.partition("/")[2]) if record is None else _link(name, record)
        return FigurePart(run=run, scatter=None, clips=(), problem=problem)

    found = None if record is None else find_figures(report, record)
    if record is None or found is None:
        return nothing("No run of it yet." if record is None else "Its run left nothing to draw.")
    if figure.shows == "points":
        drawn = scatter(found.points)
        return (
            nothing("Too few descriptors.")
            if drawn is None
            else FigurePart(run=_link(name, record), scatter=drawn, clips=(), problem="")
        )
    if not may_show(report, record.run.dataset):
        return nothing("Frames of this data set are not shown; `reproid report --frames-of` shows them, on this machine alone.")
    clips = shown_clips((clip for clip in found.examples if set(figure.names) & set(clip.maps)), figure.names)
    return FigurePart(
        run=_link(name, record), scatter=None, clips=clips, problem="" if clips else "Its run left nothing to draw."
    )


def history_curves(report: Report, records: dict[str, RunRecord], columns: tuple[str, ...]) -> tuple[Chart, ...]:
    """Return a chart per column of the histories, one curve per run, broken where a stage of the training begins."""
    histories = {name: report.results.history(record.run.folder) for name, record in records.items()}
    read = {name: history for name, history in histories.items() if isinstance(history, History)}
    charts = []
    for column in columns:
        lines = tuple(
            Line(label=name.partition("/")[2], points=_points(history, column))
            for name, history in read.items()
            if column in history.columns
        )
        shown = ", ".join(line.label for line in lines)
        charts.append(line_chart(column, lines, alt=f"{column} over the epochs of {shown}.", x_label="epoch"))
    return tuple(chart for chart in charts if chart is not None)


def _points(history: History, column: str) -> tuple[tuple[float, float | None], ...]:
    at, stage_at = history.columns.index(column), history.columns.index(STAGE) if STAGE in history.columns else None
    points: list[tuple[float, float | None]] = []
    before: float | None = None
    for row in history.rows:
        stage = None if stage_at is None else row[stage_at]
        if points and stage != before:
            points.append((row[0] or 0.0, None))  # a gap
        points.append((row[0] or 0.0, row[at]))
        before = stage
    return tuple(points)


def table_curves(report: Report, table: TableNumbers) -> tuple[Chart, ...]:
    """Return the accuracies of a table as curves, printed and own apart: own ones may be of other data and other sizes.

    Over GMACs, own ones are those of the test clips of the very runs, at the shares that these measured.
    """
    if table.table.over is None:
        return ()
    heads = [(at, head) for at, head in enumerate(table.columns) if head.dataset is not None]
    x_label = "GMACs of a clip" if table.table.over == "gmacs" else table.table.label_heads[0]
    charts = (
        _curves("Printed", heads, table.rows, lambda row: _printed_x(table, row), _printed_y, x_label),
        _curves("Own", heads, table.rows, lambda row: _own_x(report, table, row), _own_y, x_label),
    )
    return tuple(chart for chart in charts if chart is not None)


def _curves(
    title: str,
    heads: list[tuple[int, ColumnHead]],
    rows: tuple[TableRow, ...],
    x_of: Callable[[TableRow], float | None],
    y_of: Callable[[TableRow, int], float | None],
    x_label: str,
) -> Chart | None:
    lines = []
    for at, head in heads:
        found = [(x, y) for row in rows if (x := x_of(row)) is not None and (y := y_of(row, at)) is not None]
        lines.append(Line(label=head.head, points=tuple(sorted(found))))
    shown = tuple(line for line in lines if line.points)
    alt = f"{title} {' and '.join(line.label for line in shown)} over {x_label}, {len(rows)} rows."
    return line_chart(f"{title}, points", shown, alt=alt, x_label=x_label, x_whole=False, dotted=True)


def _printed_x(table: TableNumbers, row: TableRow) -> float | None:
    if table.table.over == "label":
        return float(row.labels[0])
    return next(cell.printed for cell, head in zip(row.cells, table.columns, strict=True) if head.metric == "gmacs")


def _own_x(report: Report, table: TableNumbers, row: TableRow) -> float | None:
    if table.table.over == "label":
        return float(row.labels[0])
    runs = dict.fromkeys(run for cell in row.cells for run in cell.runs)
    found = [find_figures(report, report.runs[run]) for run in runs]
    costs = [figures.gmacs for figures in found if figures is not None and figures.gmacs is not None]
    return sum(costs) / len(costs) if costs else None


def _printed_y(row: TableRow, at: int) -> float | None:
    return row.cells[at].printed


def _own_y(row: TableRow, at: int) -> float | None:
    own = row.cells[at].own
    return own.mean if own is not None else None
