"""The charts of a run's page: the columns of its history, and its cumulative matching characteristic (CMC)."""

from collections.abc import Mapping

from reproid.report.figures import Chart, Line, line_chart
from reproid.report.results import Damaged, History, Metrics
from reproid.report.text import number, plural, short_float

CMC_RANKS = 50
"""Later ranks say little."""
STAGE = "stage"
"""The column that says which stage of the training an epoch belongs to."""


def history_charts(history: History | Damaged | None) -> tuple[tuple[Chart, ...], str]:
    """Return one chart per column of history.csv after the first, which is the x axis, and what is wrong with the file.

    A column ``stage`` is no chart: of a training of several stages, each chart has a curve per stage.
    """
    if history is None:
        return (), "No training history yet."
    if isinstance(history, Damaged):
        return (), f"Damaged file: {history}"
    xs = [row[0] for row in history.rows]
    charts = (_column_chart(history, index, xs) for index in range(1, len(history.columns)) if history.columns[index] != STAGE)
    problem = "The last line of history.csv was cut short and is left out." if history.incomplete else ""
    if not history.rows:
        problem = problem or "The history has no line: nothing was trained."
    return tuple(chart for chart in charts if chart is not None), problem


def history_lines(history: History | Damaged | None) -> tuple[tuple[str, ...], ...]:
    """Return the numbers of history.csv in words, its heads first; nothing where there is no line."""
    if not isinstance(history, History) or not history.rows:
        return ()
    body = (tuple("–" if value is None else short_float(value) for value in row) for row in history.rows)
    return (tuple(name.replace("_", " ") for name in history.columns), *body)


def cmc_chart(metrics: Mapping[str, Metrics | Damaged | None]) -> Chart | None:
    """Return the CMC of every protocol in one chart, in points; None where no file holds one."""
    found = {name: read for name, read in metrics.items() if isinstance(read, Metrics) and read.cmc}
    lines = tuple(
        Line(label=name, points=tuple((rank, 100 * value) for rank, value in enumerate(read.cmc[:CMC_RANKS], start=1)))
        for name, read in found.items()
    )
    ends = "; ".join(f"{line.label}: {_end_points(line)}" for line in lines)
    return line_chart(
        "CMC, points", lines, alt=f"Share of queries with a match up to each rank. {ends}.", x_label="rank", y_range=(0, 100)
    )


def _column_chart(history: History, index: int, xs: list[float | None]) -> Chart | None:
    name, x_label = history.columns[index].replace("_", " "), history.columns[0]
    rows = [(x, row) for x, row in zip(xs, history.rows, strict=True) if x is not None]
    points = tuple((x, row[index]) for x, row in rows)
    known = [y for _, y in points if y is not None]
    if not known:
        return None
    gaps = len(points) - len(known)
    broken = f", {plural(gaps, 'value')} not finite" if gaps else ""
    alt = f"{name}: from {short_float(known[0])} to {short_float(known[-1])} over {plural(len(points), x_label)}{broken}."
    return line_chart(name, _by_stage(name, history, rows, index), alt=alt, x_label=x_label, show_last=True)


def _by_stage(name: str, history: History, rows: list[tuple[float, tuple[float | None, ...]]], index: int) -> tuple[Line, ...]:
    """Return a column as one line per stage of the training, without those in which it has no value."""
    at = history.columns.index(STAGE) if STAGE in history.columns else None
    stages = sorted({row[at] or 0.0 for _, row in rows}) if at is not None else []
    if at is None or len(stages) < 2:
        return (Line(label=name, points=tuple((x, row[index]) for x, row in rows)),)
    lines = (
        Line(label=f"stage {stage:.0f}", points=tuple((x, row[index]) for x, row in rows if (row[at] or 0.0) == stage))
        for stage in stages
    )
    return tuple(line for line in lines if any(y is not None for _, y in line.points))


def _end_points(line: Line) -> str:
    (first, low), (last, high) = line.points[0], line.points[-1]
    return f"{number(low or 0.0)} at rank {first:.0f}, {number(high or 0.0)} at rank {last:.0f}"
