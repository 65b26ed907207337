"""``reproid status``: how far the suite is."""

import sys
from pathlib import Path

import click


@click.command()
@click.option("--suite", metavar="NAME", help="A suite other than that of params.yaml.")
@click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="Result files; default: results/.")
@click.option("--check", is_flag=True, help="Exit with code 1 unless every run is done or has recorded why it failed.")
def status(suite: str | None, results: Path | None, *, check: bool) -> None:
    """Say which runs of the suite are done, failed, interrupted, not scored, or missing.

    \b
    Examples:
      reproid status
      reproid status --suite paper
      reproid status --check && echo "nothing is left without a reason"
    """  # noqa: D301
    from reproid.catalog.catalog import load_catalog
    from reproid.report.progress import STATES, suite_progress
    from reproid.report.results import Results

    catalog = load_catalog(suite=suite)
    runs = suite_progress(catalog, Results(results if results is not None else catalog.root / "results"))
    for entry in runs:
        reason = f": {entry.reason}" if entry.reason else ""
        click.echo(f"{entry.run.run_id}  {entry.run.dataset}  {entry.run.split}  seed {entry.run.seed}  {entry.state}{reason}")
    counts = {state: sum(entry.state == state for entry in runs) for state in STATES}
    click.echo(
        f"suite {catalog.suite.name}: "
        + ", ".join(f"{count} {state}" for state, count in counts.items() if count or state == "done")
    )
    if check and any(entry.state not in ("done", "failed") for entry in runs):
        sys.exit(1)
