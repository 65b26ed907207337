"""Charts: where their points and ticks lie."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproid.report.figures import BOTTOM, LEFT, RIGHT, TOP, Chart, Line, line_chart, nice_ticks
from reproid.report.pages._curves import cmc_chart, history_charts, history_lines
from reproid.report.results import Damaged, History, Metrics

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SPANS = st.floats(-1e90, 1e90)


def chart_of(*points: tuple[float, float | None], y_range: tuple[float, float] | None = None) -> Chart:
    chart = line_chart("loss", (Line(label="loss", points=points),), alt="a", x_label="epoch", y_range=y_range, show_last=True)
    assert chart is not None
    return chart


def test_line_chart_puts_points_where_the_axes_say() -> None:
    chart = chart_of((1, 0), (2, 100), y_range=(0, 100))
    assert chart.lines[0].path == f"M{LEFT} {BOTTOM} L{RIGHT} {TOP}"
    assert [tick.text for tick in chart.y_ticks] == ["0", "25", "50", "75", "100"]
    assert [tick.text for tick in chart.x_ticks] == ["1", "2"]


def test_line_chart_breaks_at_a_gap_and_dots_a_lonely_point() -> None:
    chart = chart_of((1, 1.0), (2, 2.0), (3, None), (4, 3.0))
    assert chart.lines[0].path.count("M") == 1
    assert len(chart.lines[0].dots) == 1
    assert chart.last == "last 3"


def test_line_chart_of_no_finite_value_is_none() -> None:
    assert line_chart("loss", (Line(label="loss", points=((1, None),)),), alt="a", x_label="epoch") is None


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        pytest.param(0, 1, False, [0, 0.25, 0.5, 0.75, 1], id="fractions"),
        pytest.param(0.4, 4.1, False, [0, 1, 2, 3, 4, 5], id="loss"),
        pytest.param(1, 3, True, [1, 2, 3], id="few epochs"),
        pytest.param(1, 50, True, [0, 10, 20, 30, 40, 50], id="ranks"),
        pytest.param(7, 7, True, [7, 8], id="one epoch"),
    ],
)
def test_nice_ticks_are_round(low: float, high: float, whole: bool, expected: list[float]) -> None:
    assert nice_ticks(low, high, whole=whole) == expected


@given(SPANS, SPANS, st.booleans())
def test_nice_ticks_cover_any_span_evenly(a: float, b: float, whole: bool) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high, whole=whole)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 9
    steps = [second - first for first, second in itertools.pairwise(ticks)]
    assert max(steps) - min(steps) <= slack
    assert min(steps) > 0


@given(st.lists(st.one_of(st.none(), NUMBERS), min_size=1, max_size=30))
def test_line_chart_keeps_all_points_inside_its_frame(values: list[float | None]) -> None:
    lines = (Line(label="x", points=tuple(enumerate(values, start=1))),)
    chart = line_chart("x", lines, alt="a", x_label="epoch")
    drawn = [value for value in values if value is not None and abs(value) < 1e100]
    assert (chart is None) == (not drawn)
    if chart is not None:
        (line,) = chart.lines
        points = [*re.findall(r"(-?[\d.]+) (-?[\d.]+)", line.path), *line.dots]
        assert len(points) == len(drawn)
        assert all(LEFT <= float(x) <= RIGHT and TOP <= float(y) <= BOTTOM for x, y in points)


ROWS = ((1.0, 4.0, None), (2.0, None, None), (3.0, 1.0, None))
HISTORY = History(columns=("epoch", "loss", "lr_head"), rows=ROWS, incomplete=True)


def test_history_charts_draw_each_column_that_has_numbers() -> None:
    charts, problem = history_charts(HISTORY)
    assert [chart.title for chart in charts] == ["loss"]
    assert charts[0].alt == "loss: from 4 to 1 over 3 epochs, 1 value not finite."
    assert problem == "The last line of history.csv was cut short and is left out."
    assert history_lines(HISTORY)[:2] == (("epoch", "loss", "lr head"), ("1", "4", "–"))


@pytest.mark.parametrize(
    ("history", "problem"),
    [
        (None, "No training history yet."),
        (Damaged(path="h.csv", reason="empty"), "Damaged file: h.csv: empty"),
        (History(columns=("epoch",), rows=(), incomplete=False), "The history has no line: nothing was trained."),
    ],
    ids=["absent", "damaged", "untrained"],
)
def test_history_charts_of_no_history_say_why(history: History | Damaged | None, problem: str) -> None:
    assert history_charts(history) == ((), problem)


def test_cmc_chart_draws_every_protocol_apart() -> None:
    counts = {"queries": 1, "scored": 1, "gallery": 1}
    one = Metrics.model_validate({"schema": 1, "protocol": {"name": "a", "revision": 1}, "counts": counts, "cmc": [0.5, 0.75]})
    chart = cmc_chart({"a": one, "b": one, "c": None, "d": Damaged(path="x", reason="y")})
    assert chart is not None
    assert [(line.label, line.dash) for line in chart.lines] == [("a", "none"), ("b", "6 3")]
    assert chart.legend
    assert "a: 50.0 at rank 1, 75.0 at rank 2" in chart.alt
