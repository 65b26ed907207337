"""``reproid verify`` and ``reproid prune``: are the results those of their runs, and which belong to none?"""

from pathlib import Path

import click

from reproid.errors import InputError


@click.command()
@click.option("--suite", metavar="NAME", help="A suite other than that of params.yaml.")
@click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="Result files; default: results/.")
def verify(suite: str | None, results: Path | None) -> None:
    """Compute every run id again from run.json and hold it, and every metrics file, against the folder's name.

    \b
    Examples:
      reproid verify
      reproid verify --suite paper
    """  # noqa: D301
    from reproid.catalog.catalog import load_catalog
    from reproid.report.results import Results
    from reproid.report.verify import verify_suite

    catalog = load_catalog(suite=suite)
    done = verify_suite(catalog, Results(results if results is not None else catalog.root / "results"))
    for sentence in done.wrong:
        click.echo(sentence, err=True)
    if done.wrong:
        raise InputError(
            f"{len(done.wrong)} result files are not what their folder says",
            fix="Delete those run folders and run the workflow again",
        )
    click.echo(f"suite {catalog.suite.name}: {done.runs} runs verified, {done.missing} without metrics")


@click.command()
@click.option("--yes", is_flag=True, help="Remove what is listed. Without it, nothing is touched.")
def prune(*, yes: bool) -> None:
    """List folders of runs, indexes and rendered data that no suite names under the present params.yaml.

    So are temporary files that a killed process left, once nobody has written to them for a day.

    \b
    Examples:
      reproid prune
      reproid prune --yes
    """  # noqa: D301
    from reproid.catalog.project import project_root
    from reproid.report.prune import find_leftovers, remove

    root = project_root()
    leftovers = find_leftovers(root)
    for leftover in leftovers:
        click.echo(f"{leftover.folder.relative_to(root)}  {leftover.files} files, {leftover.size / 1e6:.1f} MB")
    total = f"{len(leftovers)} folders and files, {sum(leftover.size for leftover in leftovers) / 1e6:.1f} MB"
    if yes:
        remove(leftovers)
        click.echo(f"removed {total}")
    else:
        click.echo(f"{total}: kept; remove them with --yes" if leftovers else "nothing is left over")
