"""What the papers printed of an experiment: the same number may stand in several tables."""

from dataclasses import dataclass

from reproid.catalog.catalog import Catalog, full_name
from reproid.catalog.papers import Metric


@dataclass(frozen=True, kw_only=True)
class PrintedValue:
    """One printed number, in the metric's own unit."""

    value: float
    tables: tuple[str, ...]
    """Where it stands, as "PSFormer, Table I"."""


def printed_values(catalog: Catalog, experiment: str, metric: Metric) -> tuple[PrintedValue, ...]:
    """Return what tables print of ``<paper>/<experiment>``, each number once, in the order of the tables."""
    found: dict[float, list[str]] = {}
    for paper, folder in sorted(catalog.papers.items()):
        for table in folder.tables.values():
            for row in table.rows:
                if full_name(paper, row.experiment) != experiment:
                    continue
                for column, value in zip(table.columns, row.printed, strict=False):
                    if column.metric == metric and value is not None:
                        where = f"{folder.paper.short}, {table.heading}"
                        found.setdefault(value * column.divide_by, []).append(where)
    return tuple(PrintedValue(value=value, tables=tuple(dict.fromkeys(tables))) for value, tables in found.items())
