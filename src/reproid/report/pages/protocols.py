"""The page of all protocols: what a number under each of them means."""

from dataclasses import dataclass

from reproid.catalog.protocols import Protocol, get_protocol, load_protocols
from reproid.report.families import Comparison, compared_protocols
from reproid.report.model import Report
from reproid.report.pages._parts import Fact, Link, facts
from reproid.report.pages._protocol_table import ComparisonView, comparison_view
from reproid.report.text import page_name

_HEADING_KEYS = frozenset({"name", "revision", "summary", "used_by", "dataset"})


@dataclass(frozen=True, kw_only=True)
class ProtocolView:
    """One protocol."""

    name: str
    revision: int
    summary: str
    rules: str
    """What it does, in sentences."""
    standard: Link | None
    """The standard of its family, where it is another."""
    differs: tuple[str, ...]
    """What it does otherwise than that standard."""
    used_by: str
    dataset: Link
    fields: tuple[Fact, ...]
    """As declared."""
    in_tables: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class ProtocolsView:
    """The page of protocols."""

    comparisons: tuple[ComparisonView, ...]
    """Real data before rendered ones, printed papers before our own tables; then the largest gap first."""
    protocols: tuple[ProtocolView, ...]


def protocols_view(report: Report) -> ProtocolsView:
    """Return the page of protocols."""
    compared = sorted(compared_protocols(report), key=lambda comparison: _order(report, comparison))
    return ProtocolsView(
        comparisons=tuple(comparison_view(report, comparison) for comparison in compared),
        protocols=tuple(_view(report, protocol) for protocol in load_protocols().values()),
    )


def _order(report: Report, comparison: Comparison) -> tuple[bool, bool, float, tuple[str, ...]]:
    synthetic = report.catalog.datasets[comparison.dataset].source == "synthetic"
    papers = {name.partition("/")[0] for name in comparison.experiments}
    printed = any(report.catalog.papers[paper].paper.link for paper in papers)
    return synthetic, not printed, -comparison.gap, comparison.runs


def _view(report: Report, protocol: Protocol) -> ProtocolView:
    # Imported here: it loads numpy, which no other page needs.
    from reproid.retrieval.describe import describe, differences

    fields = {key: value for key, value in protocol.model_dump(mode="json").items() if key not in _HEADING_KEYS}
    standard = get_protocol(protocol.family or protocol.name)
    return ProtocolView(
        name=protocol.name,
        revision=protocol.revision,
        summary=protocol.summary,
        rules=describe(protocol),
        standard=Link(text=standard.name, href=f"#{standard.name}") if standard.name != protocol.name else None,
        differs=differences(protocol, standard),
        used_by=", ".join(protocol.used_by),
        dataset=_dataset(report, protocol.dataset),
        fields=tuple(Fact(name=fact.name.replace("_", " "), value=fact.value) for fact in facts(fields)),
        in_tables=_in_tables(report, protocol.name),
    )


def _dataset(report: Report, name: str | None) -> Link:
    if name not in report.catalog.datasets:
        return Link(text=name or "any")
    return Link(text=report.catalog.datasets[name].title, href=f"datasets/{page_name('data set', name)}")


def _in_tables(report: Report, protocol: str) -> tuple[Link, ...]:
    links = []
    for table in report.tables:
        if protocol in table.table.protocols.values():
            paper = table.name.partition("/")[0]
            short = report.catalog.papers[paper].paper.short
            href = f"papers/{page_name('paper', paper)}#{table.table.id}"
            links.append(Link(text=f"{short}, {table.table.heading}", href=href))
    return tuple(links)
