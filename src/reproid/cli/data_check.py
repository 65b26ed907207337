"""`reproid data check`: every count of a data set, and a look into every frame."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reproid.cli._declared import find_declared, find_folder, rendered_counts
from reproid.cli._progress import progress

if TYPE_CHECKING:
    from reproid.datasets.check import Check, Line

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--dataset", required=True, help="Name in datasets.yaml: its layout and counts are asserted.")
@click.option("--root", type=_PATH, help="Folder of the data.  [default: data/raw/DATASET, data/synthetic/DATASET]")
@click.option("--quick", is_flag=True, help="Do not open the frames; that all are there is checked.")
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 64), help="Threads that open frames.")
def check(dataset: str, root: Path | None, quick: bool, workers: int) -> None:
    """Hold a data set against its declaration: persons, tracklets and frames, in all, per role and per camera.

    Prints expected, found and verdict of every count and the first five files that are missing or no images. Counts of roles are
    those of the first split; cameras count from 1. Ends with code 2 where something differs. The data are only read.

    \b
    Examples:
      reproid data check --dataset mars
      reproid data check --dataset ilids-vid --root /data/ilids-vid --quick
    """  # noqa: D301
    from reproid.datasets.check import check_data
    from reproid.errors import InputError

    declared = find_declared(dataset)
    root = root or find_folder(dataset, declared)
    counts = {**declared.counts, **declared.reported} if declared.source == "real" else rendered_counts(root)
    cameras = declared.cameras if declared.source == "real" else {}
    bar = progress("frame", "open frames")
    found = check_data(root, layout=declared.layout, counts=counts, cameras=cameras, quick=quick, workers=workers, start=bar)
    _show(found)
    if not found.passed:
        wrong = (
            f"{len(found.differing)} counts that differ, {sum(map(len, found.problems)):,} files that are missing or no images"
        )
        raise InputError(f"{dataset} is not as declared", where=root, expected="every count and every file", got=wrong,
                         fix="Complete the data set, or correct its declaration in datasets.yaml")  # fmt: skip
    looked = "no frame opened" if quick else f"{found.opened:,} frames opened"
    click.echo(f"{root}: {dataset} is as declared; {sum(line.verdict == 'ok' for line in found.lines)} counts, {looked}")


def _show(found: "Check") -> None:
    from reproid.datasets.check import offending

    width = max(len(line.name) for line in found.lines)
    click.echo(f"{'count':{width}}  {'expected':>10}  {'found':>10}  verdict")
    for line in found.lines:
        click.echo(f"{line.name:{width}}  {_number(line.expected):>10}  {_number(line.found):>10}  {_verdict(line)}")
    for problems in found.problems:
        for sentence in offending(problems):
            click.echo(sentence)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _verdict(line: "Line") -> str:
    return line.verdict.upper() if line.verdict == "differs" else line.verdict
