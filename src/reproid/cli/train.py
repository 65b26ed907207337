"""`reproid train`: one run from its record to its folder."""

import sys
from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--run-file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The run's record, run.json.")
@click.option("--index", required=True, type=_FOLDER, help="Folder of the index: tracklets.parquet, splits.parquet.")
@click.option("--data", required=True, type=_FOLDER, help="Folder that the images' names are relative to.")
@click.option("--out", required=True, type=_FOLDER, help="The run's folder, created.")
@click.option("--state", type=_FOLDER, help="Folder of the resume state.  [default: results/state/<run id>]")
@click.option("--resume/--no-resume", default=True, show_default=True, help="Continue from a saved state.")
@click.option("--save-minutes", type=click.FloatRange(min=0), default=10.0, show_default=True, help="Time between saved states.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that decode images.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU.")
def train(run_file: Path, state: Path | None, **options: object) -> None:
    """Train one run.

    Writes run.json, history.csv, model.safetensors, manifest.json and status.json. A state is saved at each epoch's end, every
    --save-minutes, and after SIGTERM or SIGUSR1, which end the command with exit code 75 after the current step: the same command
    continues it, to the same bytes. Results do not depend on --workers; on --threads they do, in the last bits.

    \b
    Examples:
      reproid train --run-file run.json --index results/index/demo --data data/raw/demo --out results/runs/demo/0123456789ab
      reproid train --run-file run.json --index index --data images --out run --threads 2 --no-resume
    """  # noqa: D301
    from reproid.catalog._yaml import validate
    from reproid.catalog.runs import Run
    from reproid.files import read_json
    from reproid.training.interrupt import EXIT_REQUEUE, Interrupted
    from reproid.training.run import TrainJob, train_run

    run = validate(read_json(run_file), Run, where=run_file)
    try:
        train_run(TrainJob(run=run, state=state or Path("results/state") / run.run_id, **options))  # type: ignore[arg-type]
    except Interrupted as error:
        click.echo(f"reproid: interrupted by {error}; the state is saved, the same command continues it", err=True)
        sys.exit(EXIT_REQUEUE)
