"""`reproid gop`: the group of pictures of a clip, to look at."""

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=_FILE, help="Arrays to write, .npz.")
@click.option("--figure", type=_FILE, help="Picture to write, .png: vectors, warped I-frame, residual.")
@click.option("--method", default="h264-pairs", show_default=True, help="How motion is found: see docs/gop.md.")
@click.option("--start", type=click.IntRange(min=0), default=0, show_default=True, help="First frame, from 0: the I-frame.")
@click.option("--frames", type=click.IntRange(min=1), default=8, show_default=True, help="Frames of the clip.")
@click.option("--step", type=click.IntRange(min=1), default=1, show_default=True, help="Take every so many frames.")
@click.option("--native", is_flag=True, help="Write the motion vectors that the video itself holds; find none.")
def gop(
    source: Path, out: Path | None, figure: Path | None, method: str, start: int, frames: int, step: int, native: bool
) -> None:
    """Find motion and residual of a clip: of a VIDEO that FFmpeg reads, or a FOLDER of images.

    \b
    Examples:
      reproid gop walk.mp4 --out walk.npz --figure walk.png
      reproid gop data/raw/mine/0001/2 --figure walk.png --method block-matching
      reproid gop walk.mp4 --native --out vectors.npz
    """  # noqa: D301
    from reproid.errors import InputError

    if out is None and figure is None:
        raise InputError("nothing to write", where="reproid gop", expected="--out, --figure or both")
    if native:
        if out is None or figure is not None or source.is_dir() or step != 1:
            raise InputError("--native takes a video and --out alone", where="reproid gop", fix="Leave out --figure and --step")
        from reproid.gop.look import write_native

        count, vectors = write_native(source, out, start=start, frames=frames)
        click.echo(
            "reproid: warning: a file's own vectors refer to whichever frame its encoder chose: as a rule the one before"
            " (source < 0) or after it (source > 0), not the first of the clip",
            err=True,
        )
        click.echo(f"{out}: {vectors:,} vectors of {count} frames")
        return
    from reproid.gop import group_of_pictures
    from reproid.gop.look import read_clip, write_arrays, write_figure
    from reproid.gop.result import check_method

    found = group_of_pictures(read_clip(source, start=start, frames=frames, step=step), method=check_method(method))
    if out is not None:
        write_arrays(found, out)
    if figure is not None:
        write_figure(found, figure)
    valid = f"{found.valid.float().mean().item():.1%}" if found.valid.numel() else "no"
    click.echo(f"{len(found.frames)} frames by {method}: {valid} of the blocks have a vector of their own")
