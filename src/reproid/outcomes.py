"""What became of a step of a run, in a file: the training's in status.json, a failed later step's in failed/<step>.json.

A step owns its file: it removes what an earlier try left, and a try that is killed leaves none.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from reproid.errors import InputError
from reproid.files import write_json

FAILED = "failed"
"""Folder, in a run's, of what failed steps leave."""
State = Literal["done", "failed", "interrupted"]


def outcome(state: State, reason: str | None = None) -> dict[str, Any]:
    """Return the content of an outcome's file: state, reason, the log that tells the rest, the SLURM job that it was."""
    return {"state": state, "reason": reason, "log": current_log(), "slurm_job_id": os.environ.get("SLURM_JOB_ID")}


def describe(error: BaseException) -> str:
    """Return an error as a reason: a user's mistake in its own words, any other with its kind."""
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"


def current_log() -> str | None:
    """Return the file that this process' standard error goes to, seen from the current folder if below it; None: to no file."""
    try:
        if not stat.S_ISREG(os.fstat(2).st_mode):
            return None
        path = Path("/proc/self/fd/2").readlink()
        return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    except OSError:
        return None


@contextmanager
def recorded(run: Path, step: str) -> Iterator[None]:
    """Leave ``failed/<step>.json`` in a run's folder when the block fails, and nothing when it ends well.

    Args:
        run: the run's folder; where it holds no run.json nothing is recorded: the files belong to no run.
        step: name of the step and of what it makes, such as ``embed-dense``.
    """
    path = run / FAILED / f"{step}.json"
    known = (run / "run.json").is_file()
    if known:
        forget(path)
    try:
        yield
    except BaseException as error:
        if known:
            with suppress(InputError):  # a full disk must not hide the first error
                write_json(path, outcome("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", describe(error)))
        raise


def forget(path: Path) -> None:
    """Remove an outcome's file, and its folder with the last one.

    Raises:
        InputError: if it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=path, fix="Make the folder writable") from error
    with suppress(OSError):  # not there, or not empty
        path.parent.rmdir()
