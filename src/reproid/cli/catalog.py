"""``reproid catalog``: check what is declared, list what would run, export JSON schemas for editors."""

from pathlib import Path

import click

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.plan import plan_suite, planned_runs
from reproid.catalog.project import project_root


@click.group()
def catalog() -> None:
    """Check and list what is declared: papers, tables, suites, runs.

    \b
    Examples:
      reproid catalog check
      reproid catalog runs --suite paper
      reproid catalog schema --out schemas
    """  # noqa: D301


@catalog.command()
def check() -> None:
    """Load every file under every suite; print the first mistake, or what was found."""
    root = project_root()
    for suite in suite_names(root):
        loaded = load_catalog(root, suite=suite)
        plan = plan_suite(loaded)
        cells = [cell for table in plan for row in table.cells for cell in row]
        runnable = sum(bool(cell.metrics) for cell in cells)
        click.echo(f"{suite}: {len(plan)} tables, {len(cells)} cells, {runnable} with runs, {len(planned_runs(plan))} runs")


@catalog.command()
@click.option("--suite", help="A suite other than that of params.yaml.")
def runs(suite: str | None) -> None:
    """List the runs that a suite plans: id, data set, split, seed, method."""
    for run in planned_runs(plan_suite(load_catalog(suite=suite))).values():
        click.echo(f"{run.run_id}  {run.dataset}  {run.split}  seed {run.seed}  {run.settings.method}")


@catalog.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("schemas"), show_default=True, help="Folder to write to.")
def schema(out: Path) -> None:
    """Write a JSON schema for every kind of YAML file; editors complete and check with them."""
    from reproid.catalog.schema import write_schemas

    for path in write_schemas(out):
        click.echo(path)
