"""`reproid compare`: two runs side by side."""

from pathlib import Path

import click

from reproid.errors import InputError

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run_a", type=PATH)
@click.argument("run_b", type=PATH)
@click.option("--protocol", metavar="NAME", help="Protocol, where a run was scored under several.")
@click.option("--out", type=PATH, required=True, metavar="FILE", help="HTML file to write.")
@click.option("--index", type=PATH, metavar="DIR", help="Folder of tracklets.parquet; with --data, frames are put into the page.")
@click.option(
    "--data", type=PATH, metavar="DIR", help="Folder of the frames. Frames of restricted data sets must not be published."
)
def compare(run_a: Path, run_b: Path, protocol: str | None, out: Path, index: Path | None, data: Path | None) -> None:
    """Compare two runs: metrics, whether the difference is more than chance, and the queries that flip, as one HTML file.

    A run is its folder or one of its metrics files. Rankings are shown where `reproid evaluate --rankings 10` wrote them
    beside both metrics files, or where the runs' embeddings are there; pictures only where --index and --data name the frames.

    \b
    Examples:
      reproid compare results/runs/mars/0123456789ab results/runs/mars/ba9876543210 --protocol mars-standard --out compare.html
      reproid compare a.json b.json --out compare.html --index results/index/demo --data data/synthetic/demo
    """  # noqa: D301
    from reproid.files import write_text
    from reproid.retrieval.compare import SHOWN, find_result, tracklets_shown
    from reproid.retrieval.compare import compare as compare_files
    from reproid.retrieval.page import compare_page
    from reproid.retrieval.pictures import thumbnails

    if (index is None) != (data is None):
        raise InputError("pictures need both --index and --data", got="--index alone" if data is None else "--data alone")
    comparison = compare_files(find_result(run_a, protocol), find_result(run_b, protocol))
    pictures = {}
    if index is not None and data is not None:
        pictures = dict(thumbnails(tracklets_shown(comparison.flips[:SHOWN]), index=index, data=data))
    names = _name(run_a), _name(run_b)
    write_text(out, compare_page(comparison, names=names, shown=SHOWN, pictures=pictures))
    first, p = comparison.differences[0], comparison.adjusted_p[0]
    scores = f"mAP {100 * first.a:.2f} against {100 * first.b:.2f}: {100 * first.difference:+.2f}, p {p:.4f} (Holm)"
    click.echo(f"{scores}; {len(comparison.flips)} queries flip at rank 1 -> {out}")


def _name(run: Path) -> str:
    return run.stem if run.suffix == ".json" else run.resolve().name
