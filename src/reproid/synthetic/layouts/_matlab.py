"""MATLAB 5 files that are the same on every day."""

import io
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from reproid.files import atomic_path


def write_matlab(path: Path, key: str, value: NDArray[Any]) -> None:
    """Write one matrix; the file's text header, which holds a date, is replaced by a fixed one."""
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {key: value})
    header = b"MATLAB 5.0 MAT-file, written by reproid".ljust(116)
    with atomic_path(path) as temporary:
        temporary.write_bytes(header + buffer.getvalue()[116:])
