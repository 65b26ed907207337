"""One cell of a table: the printed number, the own one with what it rests on, the difference, the status in words."""

import statistics
from dataclasses import dataclass

from reproid.catalog.catalog import Catalog, full_name
from reproid.catalog.plan import PlannedCell, PlannedMetrics
from reproid.catalog.protocols import get_protocol
from reproid.report.joint import joint_intervals
from reproid.report.results import Cost, Damaged, Metrics, Results
from reproid.report.settings import changed_settings
from reproid.report.status import Comparison, Status, compare_accuracy, compare_cost

Interval = tuple[float, float]
_MOST_KEYS = 3


@dataclass(frozen=True, kw_only=True)
class Own:
    """An own number, in points or the column's unit."""

    mean: float
    """Mean over the seeds of each seed's mean over its splits."""
    sd: float | None
    """Sample sd over the seeds; None for one seed."""
    seeds: int
    splits: int
    ci95: Interval | None = None
    """Bootstrap interval over persons, each drawn in all splits and seeds together."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table, judged."""

    column: str
    printed: float | None
    status: Status
    detail: str = ""
    """The status in a sentence; empty where the word says it all."""
    own: Own | None = None
    difference: float | None = None
    """Own minus printed, where the two may be compared."""
    runs: tuple[str, ...] = ()
    """Ids of the runs behind the own number, or of those that should be."""
    culprits: tuple[str, ...] = ()
    """Ids of those of them that failed or whose files are damaged."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every cell of one row is judged with."""

    results: Results
    changed: tuple[str, ...] = ()
    """Settings that differ from the paper's."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The metrics files of a cell, sorted into what can be used and what cannot."""

    values: dict[int, list[Metrics]]
    """Seed -> metrics of its splits; only seeds that have all of them."""
    paths: tuple[str, ...]
    """Of these files."""
    splits: int
    damaged: dict[str, Damaged]
    """Run id -> its file."""
    failed: dict[str, str]
    """Run id -> reason."""
    seeds_planned: int


def desk_for(catalog: Catalog, results: Results, paper: str, cells: tuple[PlannedCell, ...]) -> Desk:
    """Return the desk of one row of a paper's table."""
    runs = any(cell.metrics for cell in cells)
    changed = changed_settings(catalog, full_name(paper, cells[0].row.experiment)) if runs else ()
    return Desk(results=results, changed=changed)


def judge_cell(plan: PlannedCell, desk: Desk) -> Cell:
    """Return the cell that ``plan`` describes, from the result files that exist."""
    if plan.cost is not None:
        return _judge_cost(plan, desk.results.cost(plan.cost.path))
    if plan.reason is not None:
        return Cell(column=plan.column.id, printed=plan.printed, status=Status(plan.reason), detail=plan.detail)
    return _judge_accuracy(plan, desk)


def _judge_accuracy(plan: PlannedCell, desk: Desk) -> Cell:
    found = _find(plan, desk.results)
    own = _own(found, plan.column.metric, desk.results)
    status, detail = _accuracy_status(plan, desk, found, own)
    comparable = own is not None and plan.printed is not None and status.comparable
    return Cell(
        column=plan.column.id,
        printed=plan.printed,
        status=status,
        detail=detail,
        own=own,
        difference=_compared(own, plan.printed).difference if comparable else None,
        runs=tuple(dict.fromkeys(entry.run.run_id for entry in plan.metrics)),
        culprits=tuple(dict.fromkeys([*found.failed, *found.damaged])),
    )


def _find(plan: PlannedCell, results: Results) -> _Found:
    values: dict[int, list[Metrics]] = {}
    damaged: dict[str, Damaged] = {}
    failed: dict[str, str] = {}
    for entry in plan.metrics:
        read = results.metrics(entry.path)
        reason = results.failure(entry.run.folder, (entry.protocol,))
        if reason is not None:
            failed[entry.run.run_id] = reason
        elif broken := _broken(results, entry):
            damaged[entry.run.run_id] = broken
        elif isinstance(read, Metrics) and read.value(plan.column.metric) is None:
            damaged[entry.run.run_id] = Damaged(path=entry.path, reason=f"no value of {plan.column.metric}")
        elif isinstance(read, Metrics):
            values.setdefault(entry.run.seed, []).append(read)
    splits = len({entry.run.split for entry in plan.metrics})
    complete = {seed: read for seed, read in sorted(values.items()) if len(read) == splits}
    paths = tuple(entry.path for entry in plan.metrics if entry.run.seed in complete)
    planned = len({entry.run.seed for entry in plan.metrics})
    return _Found(values=complete, paths=paths, splits=splits, damaged=damaged, failed=failed, seeds_planned=planned)


def _broken(results: Results, entry: PlannedMetrics) -> Damaged | None:
    """Return the file without which a number says nothing and which cannot be read: metrics, status or manifest."""
    folder = entry.run.folder
    files = (results.metrics(entry.path), results.status(folder), results.plain(f"{folder}/manifest.json"))
    return next((file for file in files if isinstance(file, Damaged)), None)


def _own(found: _Found, metric: str, results: Results) -> Own | None:
    """Return the mean over splits, then over seeds, as `reproid aggregate` takes it."""
    if not found.values:
        return None
    means = [statistics.fmean(100 * (read.value(metric) or 0.0) for read in per_split) for per_split in found.values.values()]
    sd = round(statistics.stdev(means), 6) if len(means) > 1 else None
    ci95 = _interval(found, metric, results)
    return Own(mean=round(statistics.fmean(means), 6), sd=sd, seeds=len(means), splits=found.splits, ci95=ci95)


def _interval(found: _Found, metric: str, results: Results) -> Interval | None:
    """Return the interval of the file, or that of the mean over several files."""
    single = [read.ci95 for per_split in found.values.values() for read in per_split]
    known = single[0].get(metric) if len(single) == 1 else joint_intervals(results, found.paths).get(metric)
    return (round(100 * known[0], 6), round(100 * known[1], 6)) if known else None


def _accuracy_status(plan: PlannedCell, desk: Desk, found: _Found, own: Own | None) -> tuple[Status, str]:
    if found.damaged:
        return Status.DAMAGED, str(next(iter(found.damaged.values())))
    if found.failed:
        return Status.FAILED, f"{len(found.failed)} of {len(plan.metrics)} runs failed: {next(iter(found.failed.values()))}"
    if own is None:
        return Status.NOT_RUN, "no complete seed yet" if found.values else "no result yet"
    partial = f"{own.seeds} of {found.seeds_planned} seeds so far" if own.seeds < found.seeds_planned else ""
    other = _other_protocol(plan.metrics[0], found)
    if other:
        return Status.PROTOCOL_CHANGED, other
    return _comparison_status(plan, desk, own, partial)


def _comparison_status(plan: PlannedCell, desk: Desk, own: Own, partial: str) -> tuple[Status, str]:
    if plan.printed is None:
        return Status.NOTHING_PRINTED, partial
    if plan.synthetic:
        return Status.SYNTHETIC, partial
    if any(desk.results.weights_missing(entry.run.folder) for entry in plan.metrics):
        return Status.WEIGHTS_MISSING, partial
    if desk.changed:
        return Status.SETTINGS_CHANGED, "; ".join(filter(None, [_some(desk.changed), partial]))
    return compare_accuracy(_compared(own, plan.printed)), partial


def _other_protocol(planned: PlannedMetrics, found: _Found) -> str:
    """Return what differs between the protocol that the table names and the one that a file was scored under; '' for nothing."""
    wanted = get_protocol(planned.protocol)
    if found.splits < wanted.splits.count:
        return f"{wanted.name} is a mean over {wanted.splits.count} splits, not {found.splits}"
    for read in (read for per_split in found.values.values() for read in per_split):
        if read.reranking is not None:
            return "re-ranked, which the protocol is not"
        if (read.protocol.name, read.protocol.revision) != (wanted.name, wanted.revision):
            return (
                f"scored under {read.protocol.name}, revision {read.protocol.revision}, "
                f"not {wanted.name}, revision {wanted.revision}"
            )
    return ""


def _judge_cost(plan: PlannedCell, read: Cost | Damaged | None) -> Cell:
    """Judge a cell of GMACs, parameters or time: measured at the paper's own size, whatever the suite trains."""
    if isinstance(read, Damaged):
        return Cell(column=plan.column.id, printed=plan.printed, status=Status.DAMAGED, detail=str(read))
    value = read.value(plan.column.metric) if read is not None else None
    if read is None or value is None:
        detail = "not measured yet" if read is None else "the suite does not measure it"
        return Cell(column=plan.column.id, printed=plan.printed, status=Status.NOT_RUN, detail=detail)
    own = Own(mean=round(value / plan.column.divide_by, 6), sd=None, seeds=1, splits=1)
    status = _cost_status(plan, own)
    comparable = plan.printed is not None and status.comparable
    return Cell(
        column=plan.column.id,
        printed=plan.printed,
        status=status,
        detail=read.note(plan.column.metric),
        own=own,
        difference=_compared(own, plan.printed).difference if comparable else None,
    )


def _cost_status(plan: PlannedCell, own: Own) -> Status:
    if plan.printed is None:
        return Status.NOTHING_PRINTED
    if plan.column.id in plan.row.fitted:
        return Status.FITTED
    if plan.column.metric == "ms_per_video":
        return Status.OTHER_HARDWARE
    return compare_cost(_compared(own, plan.printed))


def _compared(own: Own | None, printed: float | None) -> Comparison:
    assert own is not None
    assert printed is not None
    return Comparison(mean=own.mean, sd=own.sd, seeds=own.seeds, printed=printed)


def _some(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    return ", ".join(keys[:_MOST_KEYS]) + more
