"""`reproid aggregate`: the mean over splits, then over seeds, of metrics files."""

from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="METRICS.json...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="JSON file to write.")
@click.option("--partial", is_flag=True, help="Accept fewer splits than the protocol averages over; the result says so.")
@click.option(
    "--resamples", default=10_000, show_default=True, type=click.IntRange(0), help="Bootstrap resamples of persons; 0: none."
)
@click.option("--bootstrap-seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the bootstrap.")
def aggregate(files: tuple[Path, ...], out: Path, partial: bool, resamples: int, bootstrap_seed: int) -> None:
    """Average metrics files of one protocol over splits, then over seeds, and report both counts.

    Files made with another sampling or pooling than the protocol demands, or than each other, are refused; so are splits of
    two split sets, a split that is missing for a seed, and one that is there twice.

    \b
    Examples:
      reproid aggregate results/runs/ilids-vid/*/metrics/ilids-mean10.json --out ilids-mean10.json
      reproid aggregate seed0.json seed1.json seed2.json --out mars-standard.json
    """  # noqa: D301
    from reproid.retrieval.aggregate import aggregate as average
    from reproid.retrieval.aggregate import write_aggregate
    from reproid.retrieval.results import read_result

    found = average([read_result(path) for path in files], partial=partial, resamples=resamples, seed=bootstrap_seed)
    write_aggregate(found, out)
    label = "" if found.reranking is None else ", re-ranked"
    complete = "" if found.complete else f" of {found.protocol.splits.count}: not complete"
    deviation = found.sd_over_seeds["map"]
    spread = "" if deviation is None else f" +- {100 * deviation:.2f}"
    click.echo(
        f"{found.protocol.name}{label}: mAP {100 * found.mean['map']:.2f}{spread}, rank-1 {100 * found.mean['rank1']:.2f} "
        f"({len(found.seeds)} seeds, {len(found.splits)} splits{complete}) -> {out}"
    )
