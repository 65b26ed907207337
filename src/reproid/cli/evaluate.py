"""`reproid evaluate`: score embeddings or distances under named protocols."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError

if TYPE_CHECKING:
    from reproid.retrieval.evaluation import Evaluation
    from reproid.retrieval.inputs import DistanceFile, EmbeddingFile


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asked for; one field per option."""

    embeddings: Path | None
    distances: Path | None
    protocols: tuple[str, ...]
    out: Path
    resamples: int
    bootstrap_seed: int
    threads: int | None


@click.command()
@click.option("--embeddings", type=click.Path(path_type=Path), help="Embeddings file (.npz) to score.")
@click.option("--distances", type=click.Path(path_type=Path), help="Distances file (.npz) to score.")
@click.option(
    "--protocol", "protocols", multiple=True, required=True, metavar="NAME", help="Protocol; may be given several times."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file; with several protocols, a folder.")
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
    """  # noqa: D301
    request = Request(**options)
    definitions = [get_protocol(name) for name in dict.fromkeys(request.protocols)]
    source = _read(request)

    from reproid.retrieval.evaluation import Options, write_evaluation
    from reproid.retrieval.evaluation import evaluate as score

    for protocol in definitions:
        settings = Options(resamples=request.resamples, seed=request.bootstrap_seed, threads=request.threads)
        evaluation = score(source, protocol, settings)
        target = request.out if len(definitions) == 1 else request.out / f"{protocol.name}.json"
        write_evaluation(evaluation, target)
        click.echo(f"{_line(evaluation)} -> {target}")


def _read(request: Request) -> "EmbeddingFile | DistanceFile":
    from reproid.retrieval.inputs import read_distances, read_embeddings

    if request.embeddings is not None and request.distances is None:
        return read_embeddings(request.embeddings)
    if request.distances is not None and request.embeddings is None:
        return read_distances(request.distances)
    raise InputError("give one of --embeddings and --distances", got="both" if request.embeddings else "none")


def _line(evaluation: "Evaluation") -> str:
    scores = f"mAP {100 * evaluation.map:.2f}, rank-1 {100 * evaluation.rank(1):.2f}, mINP {100 * evaluation.minp:.2f}"
    counts = f"{evaluation.queries.scored.sum()} of {len(evaluation.queries.scored)} queries scored"
    return f"{evaluation.protocol.name}: {scores} ({counts})"
