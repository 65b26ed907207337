"""One process at a time: a lock that the system lifts when its holder ends, however it ends. The lock file says who holds it."""

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reproid.errors import InputError

POLL_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who took a lock last and has not given it back."""

    host: str
    pid: int
    slurm_job_id: str | None
    alive: bool
    """False: it was killed. On a file system without locks nobody can tell, and this is True."""


def holder(path: Path) -> Holder | None:
    """Return who holds a lock, or died with it; None where nobody does."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        said = json.loads(os.read(handle, 4096))
        return Holder(host=str(said["host"]), pid=int(said["pid"]), slurm_job_id=said["slurm_job_id"], alive=_is_held(handle))
    except (OSError, ValueError, KeyError, TypeError):  # taken this moment: nothing is written yet
        return None
    finally:
        os.close(handle)


@contextmanager
def exclusive(path: Path, what: str) -> Iterator[bool]:
    """Hold a lock file; wait while another process does, as one that outlived a killed workflow. The file goes with the lock.

    Args:
        path: the lock file; its folder is created.
        what: who is waited for, for the notice on stderr.

    Yields:
        Whether there was somebody to wait for.

    Raises:
        InputError: if the file cannot be made.
    """
    waited = False
    handle = _open(path)
    try:
        while not (_lock(handle) and _is_named(handle, path)):
            if not waited:
                print(f"reproid: notice: {what}; this process waits for its end", file=sys.stderr, flush=True)
            waited = True
            time.sleep(POLL_S)
            os.close(handle)
            handle = _open(path)
        _sign(handle)
        try:
            yield waited
        finally:
            with suppress(OSError):
                path.unlink()
                fcntl.flock(handle, fcntl.LOCK_UN)  # forked children hold the file too
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", where=path, fix="Free some space or choose another folder"
        ) from error


def _sign(handle: int) -> None:
    about = asdict(Holder(host=platform.node(), pid=os.getpid(), slurm_job_id=os.environ.get("SLURM_JOB_ID"), alive=True))
    with suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(about).encode())


def _is_held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go when the handle is closed
    except OSError:
        return True
    return False


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: there, nobody is waited for
        return True
    return True


def _is_named(handle: int, path: Path) -> bool:
    """Tell whether the locked file still is the one of that name: its last holder removes it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
