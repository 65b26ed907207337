"""``reproid table``, ``reproid summary`` and ``reproid report``: from result files to numbers and pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reproid.catalog.catalog import Catalog, load_catalog
from reproid.files import write_json, write_text
from reproid.report.results import Results

Command = Callable[..., Any]


def _shared_options(command: Command) -> Command:
    suite = click.option("--suite", metavar="NAME", help="A suite other than that of params.yaml.")
    results = click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="Result files; default: results/.")
    return suite(results(command))


def _open(suite: str | None, results: Path | None) -> tuple[Catalog, Results]:
    catalog = load_catalog(suite=suite)
    return catalog, Results(results if results is not None else catalog.root / "results")


def _refresh(catalog: Catalog, files: Results) -> None:
    """Write the suite's tables and summary where the workflow keeps them."""
    from reproid.report.paired import table_tests
    from reproid.report.summary import build_summary, suite_tables
    from reproid.report.tables import table_json

    for numbers in suite_tables(catalog, files):
        write_json(files.folder / "tables" / f"{numbers.name}.json", table_json(numbers, table_tests(numbers, files)))
    write_json(files.folder / "summary" / "metrics.json", build_summary(catalog, files))
    _write_plots(catalog, files, files.folder / "summary")


def _write_plots(catalog: Catalog, files: Results, folder: Path) -> None:
    from reproid.report.plots import cmc_csv, history_csv

    write_text(folder / "cmc.csv", cmc_csv(catalog, files))
    write_text(folder / "history.csv", history_csv(catalog, files))


@click.command()
@click.argument("name", metavar="PAPER/TABLE")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="JSON file to write.")
@_shared_options
def table(name: str, out: Path, suite: str | None, results: Path | None) -> None:
    """Write one table as JSON: printed and own numbers, difference, status in words, run ids, protocol, tests.

    \b
    Examples:
      reproid table psformer/table-1 --out results/tables/psformer/table-1.json
      reproid table psformer/table-1 --suite paper --out table-1.json
    """  # noqa: D301
    from reproid.report.paired import table_tests
    from reproid.report.tables import build_table, table_json

    catalog, files = _open(suite, results)
    numbers = build_table(catalog, files, name)
    write_json(out, table_json(numbers, table_tests(numbers, files)))
    cells = [cell for row in numbers.rows for cell in row.cells]
    click.echo(f"{out}: {sum(cell.own is not None for cell in cells)} of {len(cells)} cells have a number")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="JSON file to write.")
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Also write cmc.csv and history.csv there.")
@_shared_options
def summary(out: Path, plots: Path | None, suite: str | None, results: Path | None) -> None:
    """Write the numbers of the suite, rebuilt from exactly the runs that it names.

    \b
    Examples:
      reproid summary --out results/summary/metrics.json
      reproid summary --out results/summary/metrics.json --plots results/summary
    """  # noqa: D301
    from reproid.report.summary import build_summary

    catalog, files = _open(suite, results)
    numbers = build_summary(catalog, files)
    write_json(out, numbers)
    if plots is not None:
        _write_plots(catalog, files, plots)
    scored = sum(any(run["protocols"].values()) for run in numbers["runs"].values())
    click.echo(f"{out}: suite {numbers['suite']}, {scored} of {len(numbers['runs'])} runs have metrics")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Folder to write to.")
@_shared_options
@click.option(
    "--frames-of",
    multiple=True,
    metavar="DATASET",
    help="Show frames of this real data set, which must not be published; may be given several times.",
)
@click.option(
    "--public", is_flag=True, help="For publication: show no frame of a restricted data set, whatever --frames-of says."
)
@click.option("--refresh", is_flag=True, help="Also write the suite's tables and its summary anew, into the result files.")
def report(
    out: Path, suite: str | None, results: Path | None, frames_of: tuple[str, ...], *, public: bool, refresh: bool
) -> None:
    """Write the pages: they need no network and open from the disk. What does not exist yet is shown as not there.

    \b
    Examples:
      reproid report --out reports
      reproid report --out reports --refresh
      reproid report --suite paper --out reports-paper
      reproid report --out reports-private --frames-of mars
      reproid report --out public --public
    """  # noqa: D301
    from reproid.report.site import write_report
    from reproid.sharing import restricted_names

    catalog, files = _open(suite, results)
    if refresh:
        _refresh(catalog, files)
    if public:
        dropped = sorted(set(frames_of) & restricted_names(catalog.datasets))
        frames_of = tuple(name for name in frames_of if name not in dropped)
        if dropped:
            click.echo(f"pictures of {', '.join(dropped)} are left out: they must not be published")
    pages = write_report(catalog, files, out, frames_of=frames_of)
    click.echo(f"{out / 'index.html'}: {len(pages)} pages")
