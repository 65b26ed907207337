"""``reproid status``: how far the suite is."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reproid.report.progress import RunProgress


@click.command()
@click.option("--suite", metavar="NAME", help="A suite other than that of params.yaml.")
@click.option("--results", type=click.Path(path_type=Path), metavar="DIR", help="Result files; default: results/.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--check", is_flag=True, help="Exit with code 1 unless every run is done or has recorded why it failed.")
def status(suite: str | None, results: Path | None, *, as_json: bool, check: bool) -> None:
    """Say which runs of the suite are done, running, failed, interrupted, not scored, or missing.

    Under SLURM the job that trains a run, or trained it last, is named. What waits in the queue is missing: see `squeue --me`.

    \b
    Examples:
      reproid status
      reproid status --suite paper
      reproid status --json | jq '.runs[] | select(.state == "failed") | [.run_id, .slurm_job_id, .log]'
      reproid status --check && echo "nothing is left without a reason"
    """  # noqa: D301
    from reproid.catalog.catalog import load_catalog
    from reproid.report.progress import STATES, suite_progress
    from reproid.report.results import Results

    catalog = load_catalog(suite=suite)
    runs = suite_progress(catalog, Results(results if results is not None else catalog.root / "results"))
    counts = {state: sum(entry.state == state for entry in runs) for state in STATES}
    if as_json:
        found = {"suite": catalog.suite.name, "counts": counts, "runs": [entry.plain() for entry in runs]}
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        for entry in runs:
            click.echo(_line(entry))
        shown = ", ".join(f"{count} {state}" for state, count in counts.items() if count or state == "done")
        click.echo(f"suite {catalog.suite.name}: {shown}")
    if check and any(entry.state not in ("done", "failed") for entry in runs):
        sys.exit(1)


def _line(entry: "RunProgress") -> str:
    run = entry.run
    job = f"SLURM job {entry.slurm_job_id}" if entry.slurm_job_id is not None else ""
    where = ", ".join(filter(None, [job, f"on {entry.host}" if entry.host is not None else ""]))
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{run.run_id}  {run.dataset}  {run.split}  seed {run.seed}  {entry.state}{f' ({where})' if where else ''}{reason}"
