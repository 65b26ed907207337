"""Where things are: the project's folder, the data, the weights."""

import os
import sys
from pathlib import Path

from reproid.errors import InputError


def project_root() -> Path:
    """Return the folder that holds params.yaml and papers/: $REPROID_ROOT, or the nearest one at or above the current folder.

    Raises:
        InputError: if there is none.
    """
    named = os.environ.get("REPROID_ROOT")
    start = Path(named) if named else Path.cwd()
    candidates = [start] if named else [start, *start.parents]
    for folder in candidates:
        if (folder / "params.yaml").is_file() and (folder / "papers").is_dir():
            return folder
    raise InputError(
        "no ReproID project here",
        where=start,
        expected="a folder with params.yaml and papers/",
        fix="Change to a clone of ReproID or point REPROID_ROOT to one",
    )


def data_folder(root: Path, dataset: str) -> Path:
    """Return where the files of a real data set lie, put there by the user: $REPROID_DATA/<dataset>, or data/raw/<dataset>."""
    base = os.environ.get("REPROID_DATA")
    return (Path(base) if base else root / "data" / "raw") / dataset


def archives_folder(root: Path, dataset: str) -> Path:
    """Return where the archives of a real data set lie before they are unpacked: beside its folder, in archives/<dataset>."""
    return data_folder(root, "archives") / dataset


def weights_folder(root: Path) -> Path:
    """Return where downloaded checkpoints lie: $REPROID_WEIGHTS, or data/weights in the project."""
    named = os.environ.get("REPROID_WEIGHTS")
    return Path(named) if named else root / "data" / "weights"


def prefer_own_programs() -> None:
    """Let child processes find the programs beside this Python first, as in an activated environment."""
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", "")])
