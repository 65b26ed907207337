"""`reproid embed`: descriptors of a trained run."""

from pathlib import Path

import click

from reproid.cli._threads import wait_quietly

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--run", required=True, type=_FOLDER, help="Folder of a trained run.")
@click.option("--index", type=_FOLDER, help="Folder of the index.  [default: that of the data set]")
@click.option("--data", type=_FOLDER, help="Folder of the images.  [default: that of the data set]")
@click.option("--media", type=_FOLDER, help="Folder of `reproid media`.  [default: that of the run in results/media, if there]")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write, .npz.")
@click.option("--figures", type=click.Path(path_type=Path, dir_okay=False), help="Also write what a report draws there, .json.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that decode images.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU.")
def embed(
    run: Path,
    index: Path | None,
    data: Path | None,
    media: Path | None,
    out: Path,
    figures: Path | None,
    **options: object,
) -> None:
    """Describe all query and gallery tracklets of a trained run.

    How frames are sampled and clips pooled is in the run's settings; the file states it for `reproid evaluate`. A method that
    requires groups of pictures reads their motion where `reproid media` wrote it, and finds it again where it did not: the
    descriptors are the same. With --figures, what `reproid report` draws is written too: the means of what the method decides on
    the way, some clips with its maps, a t-SNE of some persons' descriptors. The file holds frames of the data set.

    \b
    Examples:
      reproid embed --run results/runs/demo/0123456789ab --index results/index/demo --data data/raw/demo --out dense.npz
    """  # noqa: D301
    wait_quietly()
    from reproid.catalog._yaml import validate
    from reproid.catalog.places import find_media_of, find_places
    from reproid.catalog.runs import Run
    from reproid.files import read_json
    from reproid.inference.embed import EmbedJob
    from reproid.inference.embed import embed as write_embeddings
    from reproid.outcomes import recorded

    with recorded(out.parent.parent, f"embed-{out.stem}"):
        record = validate(read_json(run / "run.json"), Run, where=run / "run.json")
        places = find_places(record, index=index, data=data, out=run, state=run)
        job = EmbedJob(
            run=run,
            index=places["index"],
            data=places["data"],
            media=media or find_media_of(record),
            out=out,
            figures=figures,
            **options,  # type: ignore[arg-type]
        )
        write_embeddings(job)
