"""`reproid rank`: whom a model takes for whom, in pictures."""

from pathlib import Path

import click

from reproid.cli._threads import wait_quietly

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--index", required=True, type=_FOLDER, help="Folder of the index, see `reproid data index`.")
@click.option("--data", required=True, type=_FOLDER, help="Folder of the images. Restricted frames must not be published.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Page to write, .html.")
@click.option("--run", type=_FOLDER, help="Folder of a trained run; it may be of another data set.")
@click.option("--control", metavar="KIND", help="In place of a run: histogram, random, camera or oracle.")
@click.option("--halves", is_flag=True, help="One set: look for the first half of each track among the second halves.")
@click.option("--any-camera", is_flag=True, help="Also rank tracklets of the query's person in the query's camera.")
@click.option("--top", type=click.IntRange(1, 100), default=10, show_default=True, help="Places per query.")
@click.option("--shown", type=click.IntRange(1, 1000), default=50, show_default=True, help="Queries on the page.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that decode images.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU.")
def rank(**options: object) -> None:
    """Rank a gallery for every query, and show the hardest queries with their first places in one HTML file.

    A CSV file beside the page holds the first places of all queries. Any trained run will do, also on footage that it was not
    trained on; a control needs none.

    \b
    Examples:
      reproid rank --run results/runs/demo-mars/0123456789ab --index results/index/mine --data data/raw/mine --out rank.html
      reproid rank --control histogram --halves --index results/index/mine --data data/raw/mine --out rank.html
    """  # noqa: D301
    wait_quietly()
    from reproid.inference.rank import RankJob
    from reproid.inference.rank import rank as write_ranking

    job = RankJob(**options)  # type: ignore[arg-type]
    evaluation = write_ranking(job).evaluation
    scored = int(evaluation.queries.scored.sum())
    scores = f"mAP {100 * evaluation.map:.1f}, rank-1 {100 * evaluation.rank(1):.1f} over {scored:,} queries"
    click.echo(f"{job.out}: {scores}; {job.out.with_suffix('.csv').name}: all rankings")
