"""Line charts as geometry: numbers in, paths and labels of an SVG out. A template draws them; CSS gives the colours."""

import math
from dataclasses import dataclass

from reproid.report.text import short_float

WIDTH, HEIGHT = 320.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 310.0, 12.0, 158.0
_FLAT, _TINY, _LIMIT = 1e-9, 1e-12, 1e100
"""Spans below _FLAT of the numbers, or below _TINY, are flat; numbers beyond _LIMIT are left out as gaps."""
_DASHES = ("none", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve as given."""

    label: str
    points: tuple[tuple[float, float | None], ...]
    """(x, y); a y of None is a gap."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DrawnLine:
    """One curve as drawn."""

    label: str
    path: str
    """SVG path data."""
    dash: str
    shade: int
    """1 to 4: its colour in the style sheet."""
    dots: tuple[tuple[str, str], ...]
    """Points without a neighbour, which a path does not show; or all."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawn chart."""

    title: str
    alt: str
    """What the chart shows, for those who do not see it."""
    last: str
    """The last value in words, where it is asked for."""
    x_label: str
    lines: tuple[DrawnLine, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    legend: bool


def line_chart(
    title: str,
    lines: tuple[Line, ...],
    *,
    alt: str,
    x_label: str,
    y_range: tuple[float, float] | None = None,
    show_last: bool = False,
    x_whole: bool = True,
    dotted: bool = False,
) -> Chart | None:
    """Return the chart of ``lines``, or None where there is no point to draw.

    Args:
        title: what the y axis shows, with its unit.
        lines: the curves.
        alt: text for those who do not see the chart.
        x_label: what the x axis shows.
        y_range: the y axis from and to; by default, what the points need.
        show_last: whether the last curve's last value is told beside the title.
        x_whole: whether x counts something, as epochs and ranks do.
        dotted: whether each point has a dot, as few points need.
    """
    lines = tuple(_drawable(line) for line in lines)
    xs = [x for line in lines for x, y in line.points if y is not None]
    ys = [y for line in lines for _, y in line.points if y is not None]
    if not ys:
        return None
    x_ticks = _x_values(min(xs), max(xs)) if x_whole else nice_ticks(min(xs), max(xs))
    y_ticks = nice_ticks(*(y_range or (min(ys), max(ys))))
    x_span = (min(xs), max([*xs, min(xs) + 1])) if x_whole else (x_ticks[0], x_ticks[-1])
    y_span = (y_ticks[0], y_ticks[-1])
    return Chart(
        title=title,
        alt=alt,
        last=f"last {short_float(_last(lines[-1]))}" if show_last else "",
        x_label=x_label,
        lines=tuple(_draw(index, line, x_span, y_span, dotted=dotted) for index, line in enumerate(lines)),
        x_ticks=tuple(Tick(at=_x(x, x_span), text=short_float(x)) for x in x_ticks),
        y_ticks=tuple(Tick(at=_y(y, y_span), text=short_float(y)) for y in y_ticks),
        legend=len(lines) > 1,
    )


def nice_ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Return three to seven round numbers from at or below ``low`` to at or above ``high``."""
    size = max(abs(low), abs(high))
    if high - low <= max(size * _FLAT, _TINY):
        pad = size * 0.1 if size > _TINY else 0.5
        low, high = (low, low + max(1.0, pad)) if whole else (low - pad, high + pad)
    rough = (high - low) / (5 if whole else 4)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    step = max(1.0, float(math.ceil(step))) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


def _drawable(line: Line) -> Line:
    points = tuple((x, y if y is not None and abs(y) < _LIMIT else None) for x, y in line.points if abs(x) < _LIMIT)
    return Line(label=line.label, points=points)


def _last(line: Line) -> float:
    return [y for _, y in line.points if y is not None][-1]


def _x_values(low: float, high: float) -> list[float]:
    """Return the ticks of whole numbers inside [low, high], and ``low`` itself where no other tick is near it."""
    ticks = nice_ticks(low, high, whole=True)
    inside = [tick for tick in ticks if low <= tick <= max(high, low + 1)]
    return inside if inside and inside[0] - low < (ticks[1] - ticks[0]) / 3 else [low, *inside]


def _draw(index: int, line: Line, x_span: tuple[float, float], y_span: tuple[float, float], *, dotted: bool) -> DrawnLine:
    pieces = _pieces(line)
    path = " ".join("M" + " L".join(f"{_x(x, x_span)} {_y(y, y_span)}" for x, y in piece) for piece in pieces if len(piece) > 1)
    marked = [piece for piece in pieces if dotted or len(piece) == 1]
    dots = tuple((_x(x, x_span), _y(y, y_span)) for piece in marked for x, y in piece)
    shade = index % len(_DASHES)
    return DrawnLine(label=line.label, path=path, dash=_DASHES[shade], shade=shade + 1, dots=dots)


def _pieces(line: Line) -> list[list[tuple[float, float]]]:
    """Return the runs of points between gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in line.points:
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [piece for piece in pieces if piece]


def _x(x: float, span: tuple[float, float]) -> str:
    return f"{LEFT + (RIGHT - LEFT) * (x - span[0]) / (span[1] - span[0]):.1f}"


def _y(y: float, span: tuple[float, float]) -> str:
    return f"{BOTTOM - (BOTTOM - TOP) * (y - span[0]) / (span[1] - span[0]):.1f}"
