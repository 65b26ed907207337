"""`reproid data pack`: a data set of many small images as tar shards."""

from pathlib import Path

import click

from reproid.cli._progress import progress

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--root", type=_PATH, help="Folder of the data set; only read.")
@click.option("--out", required=True, type=_PATH, help="Folder to write: new, empty, or of an interrupted call.")
@click.option(
    "--shard-mb", default=256, show_default=True, type=click.IntRange(1, 65536), help="Size of a shard in MB (2^20 bytes), about."
)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 64), help="Threads that read images.")
@click.option(
    "--verify", is_flag=True, help="Read every byte of the packed set in --out, compare it with its SHA-256; pack nothing."
)
def pack(root: Path | None, out: Path, shard_mb: int, workers: int, verify: bool) -> None:
    """Turn a data set of many small images into a few tar files with an index.

    The packed folder takes the place of the data set's own, in every command: names and bytes are the same, so tracklet index,
    clips and digests are too. Images are read at random from memory-mapped shards, by any number of processes, no slower than
    from files. What is no image is copied. Equal data give equal bytes. The same call continues an interrupted one.

    \b
    Examples:
      reproid data pack --root data/raw/mars --out data/packed/mars
      reproid data pack --root data/raw/mine --out data/packed/mine --shard-mb 1024
      reproid data pack --out data/packed/mars --verify
      reproid data index --dataset mine --layout mars --root data/packed/mine --out results/index/mine
    """  # noqa: D301
    from reproid.datasets.pack import pack as pack_folder
    from reproid.datasets.pack import verify as verify_folder
    from reproid.errors import InputError

    if verify:
        if root is not None:
            raise InputError("--verify takes --out alone", fix="Leave out --root")
        click.echo(f"{out}: {verify_folder(out, start=progress('file', 'verify')):,} images, all as they were packed")
        return
    if root is None:
        raise InputError("no data set given", where="--root", fix="Give --root, or --verify to check a packed one")
    done = pack_folder(root, out, shard_bytes=shard_mb * 2**20, workers=workers, start=progress("image", "pack"))
    left_out = f"; left out: {', '.join(done.left_out)}" if done.left_out else ""
    state = "packed" if done.fresh else "there already"
    click.echo(f"{out}: {state}; {done.images:,} images in {done.shards:,} shards, {done.copied:,} other files{left_out}")
