"""The same embeddings under every protocol of a family, averaged over the splits and seeds of an experiment."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from reproid.catalog.protocols import Protocol, family_of
from reproid.report.model import Report, RunRecord
from reproid.report.results import Fraction, ProtocolName, QueryCounts, ResultFile

METRICS = ("map", "rank1", "minp")


class FamilyRow(ResultFile):
    """One protocol in families/<protocol>.json."""

    protocol: ProtocolName
    counts: QueryCounts
    map: Fraction
    rank1: Fraction
    minp: Fraction
    reranking: dict[str, object] | None = None


class SkippedProtocol(ResultFile):
    """A protocol that the embeddings cannot be scored under."""

    protocol: str
    reason: str


class FamilyFile(ResultFile):
    """families/<protocol>.json; fractions 0-1."""

    schema_number: Literal[1] = Field(alias="schema")
    family: str
    protocols: tuple[FamilyRow, ...]
    skipped: tuple[SkippedProtocol, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProtocolMean:
    """One protocol: means over the splits, then over the seeds that have it, in points."""

    protocol: Protocol
    values: dict[str, float]
    """map, rank1, minp"""
    differences: dict[str, float]
    """Minus those of the family's standard."""
    splits: int
    seeds: int
    counts: QueryCounts
    """Of the first run."""
    reranked: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One experiment on one data set under all protocols of a family."""

    standard: str
    dataset: str
    experiments: tuple[str, ...]
    runs: tuple[str, ...]
    """Ids."""
    rows: tuple[ProtocolMean, ...]
    """The standard first."""
    skipped: dict[str, str]
    """Protocol -> why no run is scored under it."""

    @property
    def gap(self) -> float:
        """The largest mAP minus the smallest: what protocol alone makes of the same embeddings, in points."""
        values = [row.values["map"] for row in self.rows]
        return max(values) - min(values)


def compared_protocols(report: Report, records: Sequence[RunRecord] | None = None) -> tuple[Comparison, ...]:
    """Return a comparison for every experiment, data set and family that any run has files of.

    Args:
        report: what there is.
        records: the runs to look at; by default, all.
    """
    groups: dict[tuple[str, str, str], list[tuple[RunRecord, FamilyFile]]] = {}
    for record in report.runs.values() if records is None else records:
        for file in _files(report, record):
            key = (record.run.dataset, record.run.settings.model_dump_json(), file.family)
            groups.setdefault(key, []).append((record, file))
    made = (_comparison(key[2], members) for key, members in groups.items())
    return tuple(comparison for comparison in made if len(comparison.rows) > 1)


def _files(report: Report, record: RunRecord) -> Iterator[FamilyFile]:
    """Yield one readable file of each family of the run's protocols; none of a run that failed or is damaged."""
    if record.state != "done":
        return
    seen: set[str] = set()
    for name in record.protocols:
        file = report.results.read(f"{record.run.folder}/families/{name}.json", FamilyFile)
        if isinstance(file, FamilyFile) and file.family not in seen:
            seen.add(file.family)
            yield file


def _comparison(family: str, members: list[tuple[RunRecord, FamilyFile]]) -> Comparison:
    first = members[0][0]
    found: dict[str, dict[int, dict[str, FamilyRow]]] = {}
    skipped: dict[str, str] = {}
    for record, file in members:
        for row in file.protocols:
            found.setdefault(row.protocol.name, {}).setdefault(record.run.seed, {})[record.run.split] = row
        skipped |= {one.protocol: one.reason for one in file.skipped}
    known = {protocol.name: protocol for protocol in family_of(family)}
    means = [_mean(known[name], per_seed) for name, per_seed in found.items() if _current(known.get(name), per_seed)]
    standard = next((row for row in means if row[0].name == family), None)
    rows = tuple(_minus(row, standard) for row in sorted(means, key=lambda row: (row[0].name != family, row[0].name)))
    return Comparison(
        standard=family,
        dataset=first.run.dataset,
        experiments=first.experiments,
        runs=tuple(record.run.run_id for record, _ in members),
        rows=rows if standard else (),
        skipped={name: reason for name, reason in sorted(skipped.items()) if name not in found},
    )


_Mean = tuple[Protocol, dict[str, float], list[list[FamilyRow]]]


def _current(protocol: Protocol | None, per_seed: dict[int, dict[str, FamilyRow]]) -> bool:
    """Tell whether all files were scored under the present revision of a protocol that still exists."""
    rows = [row for per_split in per_seed.values() for row in per_split.values()]
    return protocol is not None and all(row.protocol.revision == protocol.revision for row in rows)


def _mean(protocol: Protocol, per_seed: dict[int, dict[str, FamilyRow]]) -> _Mean:
    rows = [list(per_split.values()) for _, per_split in sorted(per_seed.items())]
    splits = max(map(len, rows))
    complete = [per_split for per_split in rows if len(per_split) == splits]
    means = {
        name: statistics.fmean(100 * statistics.fmean(getattr(row, name) for row in per_split) for per_split in complete)
        for name in METRICS
    }
    return protocol, means, complete


def _minus(mean: _Mean, standard: _Mean | None) -> ProtocolMean:
    protocol, values, rows = mean
    base = standard[1] if standard else values
    return ProtocolMean(
        protocol=protocol,
        values={name: round(value, 6) for name, value in values.items()},
        differences={name: round(value - base[name], 6) for name, value in values.items()},
        splits=len(rows[0]),
        seeds=len(rows),
        counts=rows[0][0].counts,
        reranked=any(row.reranking is not None for per_split in rows for row in per_split),
    )
