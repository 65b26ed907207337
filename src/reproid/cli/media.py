"""`reproid media`: the test clips of a data set as H.264 streams with their motion."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reproid.catalog.media import PlannedMedia

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--media-id", help="Media that a suite plans: the folder's name in results/media.")
@click.option("--run-file", type=click.Path(path_type=Path, dir_okay=False), help="A run's record, run.json: the media it reads.")
@click.option("--index", type=_FOLDER, help="Folder of the index.  [default: that of the data set]")
@click.option("--data", type=_FOLDER, help="Folder of the images.  [default: that of the data set]")
@click.option("--out", type=_FOLDER, help="Folder to write.  [default: results/media/<data set>/<media id>]")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that encode.")
def media(
    media_id: str | None, run_file: Path | None, index: Path | None, data: Path | None, out: Path | None, workers: int
) -> None:
    """Encode the test clips of a data set once, for the methods that require groups of pictures.

    Writes a playable H.264 stream per clip (one group of pictures, MP4, in tar shards), the motion of every clip against its
    first frame with statistics (clips.parquet), some clips for the report, and media.json. `reproid embed` reads the motion from
    there; it is the same that it finds itself. Files do not depend on --workers.

    \b
    Examples:
      reproid media --media-id 0123456789ab
      reproid media --run-file run.json --index results/index/demo --data data/raw/demo --out media --workers 8
    """  # noqa: D301
    from tqdm import tqdm

    from reproid.catalog.datasets import folder_of, index_of
    from reproid.catalog.project import project_root
    from reproid.media.make import MediaJob, make_media

    plan = _the_plan(media_id, run_file)
    index = index or index_of(plan.dataset, plan.data, project_root())
    data = data or folder_of(plan.dataset, plan.data, project_root())
    out = out or project_root() / "results" / plan.folder
    job = MediaJob(plan=plan, index=index, data=data, out=out, workers=workers)
    about = make_media(
        job, lambda total: tqdm(total=total, unit="clip", desc="media", file=sys.stderr, disable=not sys.stderr.isatty()).update
    )
    quality = about["quality"]
    shown = f"{quality['psnr_db']:.1f} dB" if quality["psnr_db"] is not None else "no difference"
    click.echo(f"{out}: {about['counts']['clips']:,} clips by {plan.method}; warp {shown}, {quality['intra']:.1%} intra blocks")


def _the_plan(media_id: str | None, run_file: Path | None) -> "PlannedMedia":
    from reproid.catalog._yaml import validate
    from reproid.catalog.catalog import load_catalog
    from reproid.catalog.media import plan_media
    from reproid.catalog.plan import find_media
    from reproid.catalog.runs import Run
    from reproid.errors import InputError
    from reproid.files import read_json

    if (media_id is None) == (run_file is None):
        raise InputError("which media?", where="reproid media", expected="either --media-id or --run-file")
    if media_id is not None:
        return find_media(load_catalog(), media_id)
    run = validate(read_json(str(run_file)), Run, where=run_file)
    plan = plan_media(run)
    if plan is None:
        method = run.settings.method
        raise InputError(f"method '{method}' needs no motion", where=run_file, expected="a run whose method requires gop")
    return plan
