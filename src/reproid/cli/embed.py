"""`reproid embed`: descriptors of a trained run."""

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--run", required=True, type=_FOLDER, help="Folder of a trained run.")
@click.option("--index", required=True, type=_FOLDER, help="Folder of the index: tracklets.parquet, splits.parquet.")
@click.option("--data", required=True, type=_FOLDER, help="Folder that the images' names are relative to.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write, .npz.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that decode images.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU.")
def embed(**options: object) -> None:
    """Describe all query and gallery tracklets of a trained run.

    How frames are sampled and clips pooled is in the run's settings; the file states it for `reproid evaluate`.

    \b
    Examples:
      reproid embed --run results/runs/demo/0123456789ab --index results/index/demo --data data/raw/demo --out dense.npz
    """  # noqa: D301
    from reproid.inference.embed import EmbedJob
    from reproid.inference.embed import embed as write_embeddings

    write_embeddings(EmbedJob(**options))  # type: ignore[arg-type]
