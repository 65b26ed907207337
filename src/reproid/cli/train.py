"""`reproid train`: one run from its record to its folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reproid.cli._threads import wait_quietly

if TYPE_CHECKING:
    from reproid.catalog.runs import Run

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--run-id", help="A run that a suite plans: see `reproid catalog runs`.")
@click.option("--run-file", type=click.Path(path_type=Path, dir_okay=False), help="A run's record, run.json: repeats it.")
@click.option("--index", type=_FOLDER, help="Folder of the index.  [default: that of the data set]")
@click.option("--data", type=_FOLDER, help="Folder of the images.  [default: that of the data set]")
@click.option("--out", type=_FOLDER, help="The run's folder, created.  [default: results/runs/<data set>/<run id>]")
@click.option("--state", type=_FOLDER, help="Folder of the resume state.  [default: results/state/<run id>]")
@click.option("--resume/--no-resume", default=True, show_default=True, help="Continue from a saved state.")
@click.option("--save-minutes", type=click.FloatRange(min=0), default=10.0, show_default=True, help="Time between saved states.")
@click.option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Processes that decode images.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of torch on the CPU, of all ranks."
)
@click.option("--requeue", is_flag=True, help="In a job of SLURM: after SIGUSR1, put the job back into the queue.")
@click.option(
    "--ranks", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that train together, one per GPU."
)
def train(
    ranks: int,
    run_id: str | None,
    run_file: Path | None,
    index: Path | None,
    data: Path | None,
    out: Path | None,
    state: Path | None,
    *,
    threads: int,
    requeue: bool,
    **options: object,
) -> None:
    """Train one run.

    Writes run.json, history.csv, model.safetensors, manifest.json and status.json. A state is saved at each epoch's end, every
    --save-minutes, and after SIGTERM or SIGUSR1, which end the command with exit code 75 after the current step: the same command
    continues it, to the same bytes; with --requeue, SLURM gives it. Results do not depend on --workers; on --threads and --ranks
    they do, in the last bits.

    With --ranks N, N processes on this machine share every batch. Started by torchrun, or by `srun --ntasks N` with --ranks N,
    the command joins those that were started with it.

    \b
    Examples:
      reproid train --run-id 0123456789ab
      reproid train --run-file run.json --index results/index/demo --data data/raw/demo --out results/runs/demo/0123456789ab
      reproid train --run-file run.json --index index --data images --out run --threads 2 --no-resume
      reproid train --run-id 0123456789ab --ranks 4
      srun --nodes 2 --ntasks 8 reproid train --run-id 0123456789ab --ranks 8
    """  # noqa: D301
    wait_quietly()
    from reproid.training.launch import in_team, launch
    from reproid.training.slurm_step import join_step

    if not (in_team() or join_step(ranks)) and ranks > 1:
        sys.exit(launch(ranks, sys.argv[1:]))
    from reproid.catalog.places import find_places
    from reproid.training.interrupt import EXIT_REQUEUE, Interrupted
    from reproid.training.requeue import requeue_job
    from reproid.training.run import TrainJob, train_run
    from reproid.training.team import joined_team, leads

    run = _the_run(run_id, run_file)
    places = find_places(run, index=index, data=data, out=out, state=state)
    try:
        with joined_team() as team:
            train_run(TrainJob(run=run, threads=max(1, threads // team.size), **places, **options), team)  # type: ignore[arg-type]
    except Interrupted as error:
        click.echo(f"reproid: interrupted by {error}; the state is saved, the same command continues it", err=True)
        if requeue and leads() and (said := requeue_job(error)):
            click.echo(f"reproid: notice: {said}", err=True)
        sys.exit(EXIT_REQUEUE)


def _the_run(run_id: str | None, run_file: Path | None) -> "Run":
    from reproid.catalog._yaml import validate
    from reproid.catalog.catalog import load_catalog
    from reproid.catalog.methods import load_methods
    from reproid.catalog.plan import find_run
    from reproid.catalog.runs import Run
    from reproid.errors import InputError, unknown_name
    from reproid.files import read_json

    if (run_id is None) == (run_file is None):
        raise InputError("which run?", where="reproid train", expected="either --run-id or --run-file")
    run = find_run(load_catalog(), run_id) if run_id else validate(read_json(str(run_file)), Run, where=run_file)
    if not run.trains:
        fix = f"Train {run.training_id}, then set this one up: `reproid retest --run-id {run.run_id}`"
        raise InputError("a run that shares a training", where=f"run {run.run_id}", fix=fix)
    if run.settings.method not in load_methods():
        raise unknown_name("method", run.settings.method, list(load_methods()), where=run_file)
    return run
