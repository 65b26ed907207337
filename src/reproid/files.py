"""Writing files so that a reader never sees half of one: a temporary name beside the target, then a rename."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reproid.errors import InputError


@contextmanager
def atomic_path(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; it becomes ``target`` when the block ends well and vanishes when it does not.

    Raises:
        InputError: if the folder cannot be written to, or the disk is full.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The target's suffix is kept at the end: numpy and pandas choose the format, or add a suffix, by it.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=f".partial{target.suffix}")
        os.close(handle)
    except OSError as error:
        raise _cannot_write(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if error.filename is None or Path(str(error.filename)) in (temporary, target):
            raise _cannot_write(target, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write ``text`` as UTF-8 with LF line ends, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path | str, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically. NaN and infinities are refused: they are not JSON."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises:
        InputError: if the file is missing or is not JSON; names the file and the line.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("file not found", where=path) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a JSON file ({error})", where=path, fix="Delete it and make it again") from error


def _cannot_write(target: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written ({error.strerror})", where=target, fix="Free some space or choose another folder; nothing was changed"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
