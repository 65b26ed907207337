"""A comparison of protocols in words: the same embeddings, one line per protocol."""

from dataclasses import dataclass

from reproid.catalog.protocols import get_protocol
from reproid.report.families import METRICS, Comparison, ProtocolMean
from reproid.report.model import Report
from reproid.report.pages._parts import Link, Value, run_href
from reproid.report.text import exact, number, page_name, plural, signed


@dataclass(frozen=True, kw_only=True)
class NumberView:
    """A number and what it differs by from the standard's; empty for the standard itself."""

    value: Value
    difference: str


@dataclass(frozen=True, kw_only=True)
class ProtocolLine:
    """One protocol."""

    protocol: Link
    differs: str
    numbers: tuple[NumberView, ...]
    """mAP, rank-1, mINP."""
    scored: str
    gallery: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class ComparisonView:
    """One experiment on one data set."""

    title: str
    dataset: Link
    synthetic: bool
    summary: str
    lines: tuple[ProtocolLine, ...]
    skipped: tuple[str, ...]
    runs: tuple[Link, ...]


def comparison_view(report: Report, comparison: Comparison, root: str = "") -> ComparisonView:
    """Return a comparison in words; ``root`` leads from the page to the report's folder."""
    dataset = report.catalog.datasets[comparison.dataset]
    return ComparisonView(
        title=", ".join(comparison.experiments),
        dataset=Link(text=dataset.title, href=f"{root}datasets/{page_name('data set', comparison.dataset)}"),
        synthetic=dataset.source == "synthetic",
        summary=_summary(comparison),
        lines=tuple(_line(row, comparison.standard, root) for row in comparison.rows),
        skipped=tuple(f"{name}: {reason}" for name, reason in comparison.skipped.items()),
        runs=tuple(Link(text=run_id, href=run_href(run_id, root)) for run_id in comparison.runs),
    )


def _summary(comparison: Comparison) -> str:
    by_map = sorted(comparison.rows, key=lambda row: row.values["map"])
    low, high = by_map[0], by_map[-1]
    return (
        f"The same embeddings score from {number(low.values['map'])} mAP ({low.protocol.name}) to {number(high.values['map'])} "
        f"({high.protocol.name}): {number(comparison.gap)} points of it are the protocol alone."
    )


def _line(row: ProtocolMean, standard: str, root: str) -> ProtocolLine:
    # Imported here: it loads numpy, which most pages do not need.
    from reproid.retrieval.describe import differences

    is_standard = row.protocol.name == standard
    seeds = plural(row.seeds, "seed") + (f", {plural(row.splits, 'split')} each" if row.splits > 1 else "")
    wanted = row.protocol.splits.count
    partial = f", of {wanted} splits" if row.splits < wanted else ""
    return ProtocolLine(
        protocol=Link(text=row.protocol.name, href=f"{root}protocols.html#{row.protocol.name}"),
        differs="the standard" if is_standard else "; ".join(differences(row.protocol, get_protocol(standard))),
        numbers=tuple(
            NumberView(
                value=Value(text=number(row.values[name]), exact=exact(row.values[name])),
                difference="" if is_standard else signed(row.differences[name]),
            )
            for name in METRICS
        ),
        scored=f"{number(row.counts.scored, 0)} of {number(row.counts.queries, 0)}",
        gallery=number(row.counts.gallery, 0),
        basis=seeds + partial + (", re-ranked" if row.reranked else ""),
    )
