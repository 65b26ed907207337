"""The folder of a run that shares the training of another: its own record, and what that training wrote beside its weights.

The weights stay where they are; `checkpoint_of` finds them.
"""

import shutil
from pathlib import Path

from reproid.catalog.runs import Run
from reproid.errors import InputError
from reproid.files import atomic_path, write_text

RECORDS = ("history.csv", "manifest.json")
CHECKPOINT = "model.safetensors"


def training_folder(folder: Path, run: Run) -> Path:
    """Return the folder of the training that a run tests, from the run's own: itself, or the one beside it."""
    return folder if run.trains else folder.parent / run.training_id


def checkpoint_of(folder: Path, run: Run) -> Path:
    """Return the file of the weights that a run tests.

    Args:
        folder: the run's.
        run: its record.
    """
    return training_folder(folder, run) / CHECKPOINT


def retest(run: Run, folder: Path) -> None:
    """Write the folder of a run that tests the training of another run under other options.

    Args:
        run: its record.
        folder: to write; the training's is the one beside it that is named by its id.

    Raises:
        InputError: if the run trains by itself, or the training is not there.
    """
    if run.trains:
        raise InputError("a run of its own training", where=f"run {run.run_id}", fix="Train it: `reproid train --run-id`")
    training = training_folder(folder, run)
    for name in RECORDS:
        if not (training / name).is_file():
            fix = f"Train run {run.training_id} first"
            raise InputError("the training that the run shares is missing", where=training / name, fix=fix)
    write_text(folder / "run.json", run.model_dump_json(indent=1) + "\n")
    for name in RECORDS:
        with atomic_path(folder / name) as temporary:
            shutil.copyfile(training / name, temporary)
