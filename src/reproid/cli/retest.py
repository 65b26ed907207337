"""`reproid retest`: a run that tests the training of another one under other options."""

from pathlib import Path

import click


@click.command()
@click.option("--run-id", required=True, help="Of a run that a suite plans: <training>-<test>, see `reproid catalog runs`.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run's folder, beside the training's.  [default: results/runs/<data set>/<run id>]",
)
def retest(run_id: str, out: Path | None) -> None:
    """Set up a run that differs from another in options of the test alone: it shares that run's training.

    Writes run.json, and copies of the training's history.csv and manifest.json. `reproid embed` then reads the weights where the
    training left them.

    \b
    Examples:
      reproid retest --run-id 0123456789ab-cdef01
    """  # noqa: D301
    from reproid.catalog.catalog import load_catalog
    from reproid.catalog.plan import find_run
    from reproid.inference.retest import retest as set_up

    catalog = load_catalog()
    run = find_run(catalog, run_id)
    set_up(run, out or catalog.root / "results" / run.folder)
