"""One page per run: what came out under each protocol, curves, settings, manifest, and why it failed if it did."""

import shlex
from dataclasses import dataclass
from typing import Any

from reproid.catalog.runs import Run
from reproid.report.families import compared_protocols
from reproid.report.figures import Chart
from reproid.report.inspections import find_inspection, frames_options
from reproid.report.logs import LogTail, log_tails
from reproid.report.model import Report, RunRecord, scored_protocols
from reproid.report.pages._curves import cmc_chart, history_charts, history_lines
from reproid.report.pages._figures import FiguresView, figures_view
from reproid.report.pages._parts import Fact, Link, RunLine, Value, Word, facts, other_code, points, run_href, run_lines
from reproid.report.pages._protocol_table import ComparisonView, comparison_view
from reproid.report.pages.inspection import inspection_path
from reproid.report.results import Damaged, Metrics
from reproid.report.summary import ACCURACY_METRICS
from reproid.report.text import as_text, number, page_name, plural

LONG_GROUP = 8
"""Mappings of a manifest with more entries are folded away."""
_NAMES = {"map": "mAP", "minp": "mINP", "rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10", "rank20": "rank-20"}


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """One metric under one protocol, in points."""

    name: str
    value: Value
    interval: str
    chance: str
    """What rankings in random order score on the same labels."""


@dataclass(frozen=True, kw_only=True)
class ScoreView:
    """What one protocol gives."""

    protocol: Link
    problem: str
    """Why there are no numbers: not scored yet, or the file is damaged."""
    damaged: bool
    metrics: tuple[MetricLine, ...]
    counts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """A long part of a manifest, folded away."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run's page."""

    run_id: str
    title: str
    experiments: tuple[Link, ...]
    state: Word
    other_code: Word | None
    """A badge, where it was made with other code than this clone's."""
    synthetic: bool
    failure: str
    logs: tuple[LogTail, ...]
    facts: tuple[Fact, ...]
    scores: tuple[ScoreView, ...]
    cmc: Chart | None
    inspection: str
    """The page with its rankings; empty where there is none."""
    protocols: tuple[ComparisonView, ...]
    """The same embeddings under every protocol of a family."""
    figures: FiguresView | None
    """What its method decides, a map of its descriptors, clips; None where nothing was written."""
    compare: str
    """The command that sets it beside another run; empty where there is no other."""
    curves: tuple[Chart, ...]
    curves_problem: str
    history: tuple[tuple[str, ...], ...]
    """The same numbers line by line, heads first."""
    settings: tuple[Fact, ...]
    command: str
    """Makes the run, or what is missing of it; of a finished one, all of it anew."""
    repeat: str
    """Trains once more beside the run: the same bytes on the same machine. Empty where there is no run to repeat."""
    made_by: str
    """The command of the manifest; empty where there is none."""
    manifest: tuple[Fact, ...]
    manifest_groups: tuple[FactGroup, ...]
    manifest_problem: str
    siblings: tuple[RunLine, ...]


def run_view(report: Report, record: RunRecord) -> RunView:
    """Return the page of a run."""
    run, results = record.run, report.results
    manifest = results.manifest(run.folder)
    fields, groups = _split_manifest(manifest if isinstance(manifest, dict) else {})
    history = results.history(run.folder)
    charts, curves_problem = history_charts(history)
    return RunView(
        run_id=run.run_id,
        title=f"{report.catalog.methods[run.settings.method].title} on {report.catalog.datasets[run.dataset].title}",
        experiments=tuple(_experiment(name) for name in record.experiments),
        state=Word(text=record.state, tone=record.tone),
        other_code=other_code(record),
        synthetic=run.data.source == "synthetic",
        failure=record.failure or "; ".join(map(str, record.damaged)),
        logs=log_tails(results.folder, run.dataset, run.run_id) if record.state not in ("done", "not run") else (),
        facts=_facts(report, run),
        scores=tuple(_score(name, read) for name, read in record.metrics.items()),
        cmc=cmc_chart(record.metrics),
        inspection=inspection_path(run.run_id).rpartition("/")[2] if find_inspection(report, record) else "",
        protocols=tuple(comparison_view(report, found, "../") for found in compared_protocols(report, [record])),
        figures=figures_view(report, record),
        compare=_compare(report, record),
        curves=charts,
        curves_problem=curves_problem,
        history=history_lines(history),
        settings=facts(run.settings.model_dump(mode="json")),
        command=_command(record),
        repeat=_repeat(run, manifest) if record.state == "done" else "",
        made_by=_made_by(manifest),
        manifest=fields,
        manifest_groups=groups,
        manifest_problem=str(manifest) if isinstance(manifest, Damaged) else "" if manifest else "No manifest yet.",
        siblings=_siblings(report, record),
    )


def _experiment(name: str) -> Link:
    return Link(text=name, href=f"../papers/{page_name('paper', name.partition('/')[0])}")


def _facts(report: Report, run: Run) -> tuple[Fact, ...]:
    method = report.catalog.methods[run.settings.method]
    dataset = report.catalog.datasets[run.dataset].title
    return (
        Fact(name="data set", value=dataset, href=f"../datasets/{page_name('data set', run.dataset)}"),
        Fact(name="split", value=run.split),
        Fact(name="seed", value=str(run.seed)),
        Fact(name="method", value=f"{method.title}, revision {run.revision}"),
        Fact(name="source", value=method.source),
        *(() if run.trains else (_shared_training(report, run),)),
        Fact(name="files", value=f"results/{run.folder}"),
    )


def _shared_training(report: Report, run: Run) -> Fact:
    """Return whose training a run tests."""
    known = run.training_id in report.runs
    return Fact(name="training", value=f"that of {run.training_id}", href=run_href(run.training_id) if known else None)


def _score(name: str, read: Metrics | Damaged | None) -> ScoreView:
    protocol = Link(text=name, href=f"../protocols.html#{name}")
    if not isinstance(read, Metrics):
        problem = f"Damaged file: {read}" if read is not None else "Not scored yet."
        return ScoreView(protocol=protocol, problem=problem, damaged=read is not None, metrics=(), counts=())
    values = ((metric, read.value(metric)) for metric in ACCURACY_METRICS)
    metrics = tuple(_metric_line(metric, value, read) for metric, value in values if value is not None)
    reranked = f", re-ranked ({as_text(read.reranking)})" if read.reranking is not None else ""
    scored = Link(text=f"{read.protocol.name}, revision {read.protocol.revision}{reranked}", href=protocol.href)
    return ScoreView(protocol=scored, problem="", damaged=False, metrics=metrics, counts=_counts(read))


def _metric_line(metric: str, value: float, read: Metrics) -> MetricLine:
    ci95 = read.ci95.get(metric)
    interval = f"{points(ci95[0]).text} to {points(ci95[1]).text}" if ci95 else "none"
    chance = points(read.chance[metric]).text if metric in read.chance else "–"
    return MetricLine(name=_NAMES.get(metric, metric), value=points(value), interval=interval, chance=chance)


def _counts(read: Metrics) -> tuple[Fact, ...]:
    counts = read.counts
    dropped = tuple(Fact(name=f"dropped: {reason}", value=number(count, 0)) for reason, count in sorted(counts.dropped.items()))
    return (
        Fact(name="queries", value=number(counts.queries, 0)),
        Fact(name="scored", value=number(counts.scored, 0)),
        *(dropped or (Fact(name="dropped", value="none"),)),
        Fact(name="gallery", value=plural(counts.gallery, "tracklet")),
        *((Fact(name="persons", value=number(counts.persons, 0)),) if counts.persons is not None else ()),
    )


def _command(record: RunRecord) -> str:
    targets = " ".join(f"results/{record.run.folder}/metrics/{name}.json" for name in record.protocols)
    again = "--forcerun train " if record.state == "done" else ""
    return f"snakemake --profile ${{SNAKEMAKE_PROFILE:-local}} {again}-- {targets}"


def _repeat(run: Run, manifest: object) -> str:
    threads = manifest.get("threads") if isinstance(manifest, dict) else None
    if not isinstance(threads, int):
        return ""
    training = f"results/runs/{run.dataset}/{run.training_id}"
    return f"reproid train --run-file {training}/run.json --threads {threads} --out results/repeated/{run.training_id}"


def _compare(report: Report, record: RunRecord) -> str:
    """Return the command that compares the run with the first other one on the same split that has the same protocol."""
    run, protocols = record.run, scored_protocols(record)
    for other in report.runs_on(run.dataset):
        shared = [name for name in protocols if name in scored_protocols(other)]
        if other.run.run_id != run.run_id and other.run.split == run.split and shared:
            folders = f"results/{other.run.folder} results/{run.folder}"
            shown = f"reproid compare {folders} --protocol {shared[0]} --out compare.html"
            return shown + frames_options(report, run.dataset)
    return ""


def _made_by(manifest: object) -> str:
    argv = manifest.get("argv") if isinstance(manifest, dict) else None
    return shlex.join(map(str, argv)) if isinstance(argv, list) else ""


def _split_manifest(manifest: dict[str, Any]) -> tuple[tuple[Fact, ...], tuple[FactGroup, ...]]:
    """Return the short fields of a manifest, and its long mappings one by one."""
    long = {key for key, value in manifest.items() if isinstance(value, dict) and len(value) > LONG_GROUP}
    groups = tuple(FactGroup(title=f"{key} ({len(manifest[key])})", facts=facts(manifest[key])) for key in sorted(long))
    return facts({key: value for key, value in manifest.items() if key not in long}), groups


def _siblings(report: Report, record: RunRecord) -> tuple[RunLine, ...]:
    """Return the lines of the other seeds and splits of the same settings."""
    titles = {name: dataset.title for name, dataset in report.catalog.datasets.items()}
    same = (
        other
        for other in report.runs_on(record.run.dataset)
        if other.run.settings == record.run.settings and other.run.run_id != record.run.run_id
    )
    return run_lines(same, titles)
