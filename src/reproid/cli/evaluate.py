"""`reproid evaluate`: score embeddings or distances under named protocols."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reproid.catalog.protocols import Protocol, family_of, get_protocol
from reproid.errors import InputError
from reproid.outcomes import recorded

if TYPE_CHECKING:
    from reproid.retrieval.evaluation import Evaluation, Options
    from reproid.retrieval.inputs import DistanceFile, EmbeddingFile

FILE = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asked for; one field per option."""

    embeddings: Path | None
    distances: Path | None
    protocols: tuple[str, ...]
    out: Path
    rankings: int
    inspect: Path | None
    family: Path | None
    rerank: bool
    k1: int
    k2: int
    weight: float
    dataset: str | None
    split: str | None
    seed: int | None
    resamples: int
    bootstrap_seed: int
    threads: int | None


@click.command()
@click.option("--embeddings", type=FILE, metavar="FILE", help="Embeddings (.npz) to score.")
@click.option("--distances", type=FILE, metavar="FILE", help="Distances (.npz) to score.")
@click.option(
    "--protocol", "protocols", multiple=True, required=True, metavar="NAME", help="Protocol; may be given several times."
)
@click.option("--out", type=FILE, required=True, metavar="PATH", help="JSON file; with several protocols, a folder.")
@click.option("--rankings", default=0, type=click.IntRange(0), metavar="K", help="Also write the first K places of each query.")
@click.option("--inspect", type=FILE, metavar="FILE", help="Also write ranking galleries, camera pairs and distances (JSON).")
@click.option("--family", type=FILE, metavar="FILE", help="Also score under all other protocols of its family (JSON).")
@click.option("--rerank", is_flag=True, help="Re-rank by k-reciprocal encoding; the numbers are labelled.")
@click.option("--rerank-k1", "k1", default=20, show_default=True, type=click.IntRange(1), help="Reciprocal neighbours.")
@click.option("--rerank-k2", "k2", default=6, show_default=True, type=click.IntRange(1), help="Neighbours averaged.")
@click.option(
    "--rerank-lambda", "weight", default=0.3, show_default=True, type=click.FloatRange(0, 1), help="Original distance's part."
)
@click.option("--dataset", metavar="NAME", help="Data set, for `reproid aggregate`; by default, as run.json says.")
@click.option("--split", metavar="NAME", help="Split, for `reproid aggregate`; by default, as run.json says.")
@click.option("--seed", type=click.IntRange(0), help="The run's seed, for `reproid aggregate`; by default, as run.json says.")
@click.option(
    "--resamples", default=10_000, show_default=True, type=click.IntRange(0), help="Bootstrap resamples of persons; 0: none."
)
@click.option("--bootstrap-seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the bootstrap.")
@click.option("--threads", type=click.IntRange(1), help="Threads; by default, one per core. Without influence on the result.")
def evaluate(**options: Any) -> None:
    """Score embeddings or distances: mAP, CMC, mINP with 95 % intervals, under one or several named protocols.

    With one protocol, --out is the JSON file. With several, --out is a folder that gets <protocol>.json for each. The scores
    of each query are written beside it, as <name>.queries.parquet.

    \b
    Examples:
      reproid evaluate --embeddings dense.npz --protocol mars-standard --out metrics/mars-standard.json
      reproid evaluate --distances d.npz --protocol mars-standard --protocol mars-matlab-ap --out metrics
      reproid evaluate --embeddings dense.npz --protocol ilids-mean10 --split 3 --seed 0 --out split3.json
      reproid evaluate --embeddings dense.npz --protocol mars-standard --out m.json --inspect inspection.json --family family.json
    """  # noqa: D301
    request = Request(**options)
    definitions = [get_protocol(name) for name in dict.fromkeys(request.protocols)]
    for option, file in (("--inspect", request.inspect), ("--family", request.family)):
        if file is not None and len(definitions) > 1:
            raise InputError(f"{option} takes one protocol", got=f"{len(definitions)} protocols")
    targets = [request.out if len(definitions) == 1 else request.out / f"{protocol.name}.json" for protocol in definitions]
    with ExitStack() as records:
        for target in targets:
            records.enter_context(_recorded(target))
        source = _read(request)
    settings = _settings(request)

    from reproid.retrieval.evaluation import write_evaluation

    for protocol, target in zip(definitions, targets, strict=True):
        with _recorded(target):
            evaluation = _score(source, protocol, settings)
            _write_extras(source, evaluation, target, request)
            write_evaluation(evaluation, target)
        click.echo(f"{_line(evaluation)} -> {target}")


def _recorded(target: Path) -> AbstractContextManager[None]:
    """Record a failure where the file belongs to a run: <run>/metrics/<protocol>.json."""
    return recorded(target.parent.parent, f"evaluate-{target.stem}")


def _read(request: Request) -> "EmbeddingFile | DistanceFile":
    from reproid.retrieval.inputs import read_distances, read_embeddings, with_run

    source: EmbeddingFile | DistanceFile
    if request.embeddings is not None and request.distances is None:
        source = read_embeddings(request.embeddings)
    elif request.distances is not None and request.embeddings is None:
        source = read_distances(request.distances)
    else:
        raise InputError("give one of --embeddings and --distances", got="both" if request.embeddings else "none")
    given = {key: getattr(request, key) for key in ("dataset", "split", "seed") if getattr(request, key) is not None}
    return replace(source, made=replace(with_run(source.made, source.path), **given))


def _settings(request: Request) -> "Options":
    from reproid.retrieval.evaluation import Options
    from reproid.retrieval.rerank import Reranking

    return Options(
        resamples=request.resamples,
        seed=request.bootstrap_seed,
        threads=request.threads,
        reranking=Reranking(k1=request.k1, k2=request.k2, weight=request.weight) if request.rerank else None,
    )


def _score(source: "EmbeddingFile | DistanceFile", protocol: Protocol, settings: "Options") -> "Evaluation":
    from reproid.retrieval.evaluation import evaluate as score

    with _progress(len(source.labels(protocol)[0]), protocol.name) as advance:
        return score(source, protocol, replace(settings, progress=advance))


def _write_extras(source: "EmbeddingFile | DistanceFile", evaluation: "Evaluation", target: Path, request: Request) -> None:
    from reproid.retrieval.family import score_family, write_family
    from reproid.retrieval.inspection import inspect, write_inspection
    from reproid.retrieval.rankings import rankings_path, top_rankings, write_rankings

    if request.rankings:
        rankings = top_rankings(source, evaluation.protocol, k=request.rankings, reranking=evaluation.reranking)
        write_rankings(rankings, rankings_path(target))
    if request.inspect is not None:
        write_inspection(inspect(source, evaluation, threads=request.threads), request.inspect)
    if request.family is not None:
        queries, others = len(evaluation.queries.scored), len(family_of(evaluation.protocol.name)) - 1
        with _progress(queries * others, "other protocols") as advance:
            settings = replace(_settings(request), progress=advance)
            write_family(score_family(source, evaluation, settings), request.family)


@contextmanager
def _progress(queries: int, name: str) -> Iterator[Callable[[int], object]]:
    from tqdm import tqdm

    # disable=None: a bar on a terminal alone; delay: only for what takes more than two seconds.
    with tqdm(total=queries, desc=name, unit=" queries", disable=None, delay=2) as bar:
        yield bar.update


def _line(evaluation: "Evaluation") -> str:
    scores = f"mAP {100 * evaluation.map:.2f}, rank-1 {100 * evaluation.rank(1):.2f}, mINP {100 * evaluation.minp:.2f}"
    counts = f"{evaluation.queries.scored.sum()} of {len(evaluation.queries.scored)} queries scored"
    label = "" if evaluation.reranking is None else ", re-ranked"
    return f"{evaluation.protocol.name}{label}: {scores} ({counts})"
