"""Small views that several pages share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reproid.report.model import RunRecord
from reproid.report.results import Metrics
from reproid.report.settings import flatten
from reproid.report.status import Tone
from reproid.report.text import as_text, exact, number, page_name, web_link


@dataclass(frozen=True, kw_only=True)
class Word:
    """A status or state in words with its colour group."""

    text: str
    tone: Tone = "quiet"
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link; without an address, plain text."""

    text: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Value:
    """A rounded number with its exact value for machines."""

    text: str
    exact: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a list of names and values."""

    name: str
    value: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run in a list of runs."""

    run_id: str
    href: str
    experiments: str
    dataset: str
    split: str
    seed: int
    state: Word
    other_code: Word | None
    """A badge, where it was made with other code than this clone's."""
    headline: str
    """Its first metric, or nothing."""


def other_code(record: RunRecord) -> Word | None:
    """Return the badge of a run that was made with other code than this clone's."""
    title = "The code of clips, training, inference or the method differs from that which made this run: see the manifest"
    return Word(text="other code", tone="off", title=title) if record.other_code else None


def points(fraction: float) -> Value:
    """Return a fraction 0-1 as points."""
    value = round(100 * fraction, 6)
    return Value(text=number(value), exact=exact(value))


def facts(values: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return nested plain data as a flat list of names and values; web addresses become links."""
    flat = flatten(dict(values)) if values else {}
    return tuple(Fact(name=name, value=as_text(value), href=_link(value)) for name, value in flat.items())


def run_href(run_id: str, root: str = "../") -> str:
    """Return the address of a run's page, seen from a page one folder down."""
    return f"{root}runs/{page_name('run', run_id)}"


def run_lines(records: Iterable[RunRecord], titles: Mapping[str, str], root: str = "../") -> tuple[RunLine, ...]:
    """Return the lines of a list of runs; ``titles`` are those of the data sets."""
    return tuple(
        RunLine(
            run_id=record.run.run_id,
            href=run_href(record.run.run_id, root),
            experiments=", ".join(record.experiments),
            dataset=titles.get(record.run.dataset, record.run.dataset),
            split=record.run.split,
            seed=record.run.seed,
            state=Word(text=record.state, tone=record.tone),
            other_code=other_code(record),
            headline=_headline(record),
        )
        for record in records
    )


def _headline(record: RunRecord) -> str:
    for protocol, read in record.metrics.items():
        if isinstance(read, Metrics) and read.map is not None and read.rank1 is not None:
            return f"mAP {points(read.map).text}, rank-1 {points(read.rank1).text} ({protocol})"
    return ""


def _link(value: Any) -> str | None:
    return web_link(value) if isinstance(value, str) else None
