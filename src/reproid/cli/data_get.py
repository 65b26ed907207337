"""`reproid data get`: a real data set from its authors, or how to ask them for it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reproid.cli._declared import find_declared
from reproid.cli._progress import progress

if TYPE_CHECKING:
    from reproid.catalog.datasets import RealDataSet

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--dataset", required=True, help="Name of a real data set in datasets.yaml.")
@click.option("--root", type=_PATH, help="Folder of the data.  [default: data/raw/DATASET or $REPROID_DATA/DATASET]")
@click.option(
    "--archive", "files", type=_PATH, multiple=True, help="Unpack this file, which you got from the authors; repeat for more."
)
@click.option("--out", type=_PATH, help="Also write here what was done, as JSON.")
def get(dataset: str, root: Path | None, files: tuple[Path, ...], out: Path | None) -> None:
    """Fetch a data set where its terms allow it, verify and unpack it; where they do not, print page, form and folder.

    Downloads are resumed and tried again. A SHA-256 that datasets.yaml does not name is recorded on first use, beside the
    archives. Zip, tar and (through bsdtar) rar are unpacked without overwriting; the same call continues an interrupted one.

    \b
    Examples:
      reproid data get --dataset ilids-vid
      reproid data get --dataset prid-2011 --archive ~/Downloads/prid_2011.zip
    """  # noqa: D301
    from dataclasses import asdict

    from reproid.catalog.project import archives_folder, data_folder, project_root
    from reproid.datasets.obtain import obtain
    from reproid.errors import InputError
    from reproid.files import write_json

    declared = find_declared(dataset)
    if declared.source != "real":
        raise InputError(
            f"'{dataset}' is rendered, not fetched", where="--dataset", fix=f"Run: reproid data synth --dataset {dataset}"
        )
    project = project_root()
    folder = root or data_folder(project, dataset)
    wanted = files or declared.obtain.archives
    if not wanted:
        _refuse(dataset, declared, folder)
    done = obtain(wanted, store=archives_folder(project, dataset), folder=folder, start=lambda name: progress("B", name))
    for one in done:
        state = "verified" if one.known else "recorded"
        click.echo(f"{one.archive}: SHA-256 {one.sha256} {state}; {one.files:,} files, {one.fresh:,} new")
    if out is not None:
        write_json(out, [{**asdict(one), "archive": str(one.archive)} for one in done])
    click.echo(f"{folder}: unpacked. Next: reproid data check --dataset {dataset}")


def _refuse(name: str, dataset: "RealDataSet", folder: Path) -> None:
    """Say how to get what is not fetched, unless it is there.

    Raises:
        InputError: if it is not.
    """
    from reproid.errors import InputError

    if folder.is_dir():
        click.echo(f"{folder}: there; nothing is fetched. Next: reproid data check --dataset {name}")
        raise click.exceptions.Exit(0)
    if dataset.status == "withdrawn":
        raise InputError(f"{dataset.title} is withdrawn and not offered", where=name, got=dataset.reason,
                         fix=f"A copy that you may use goes to {folder}")  # fmt: skip
    form = f" Form: {dataset.obtain.form}." if dataset.obtain.form else ""
    raise InputError("its terms, as far as they are known, allow no automatic download", where=name,
                     fix=f"Page: {dataset.obtain.page} .{form} Folder: {folder} . {dataset.obtain.how}")  # fmt: skip
