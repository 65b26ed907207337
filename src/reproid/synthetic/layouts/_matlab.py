"""MATLAB 5 files that are the same on every day."""

import io
from pathlib import Path
from typing import Any

import numpy as np
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


def write_matlab73(path: Path, key: str, value: NDArray[Any]) -> None:
    """Write one matrix as MATLAB 7.3 does: HDF5 behind a header of 512 bytes, which holds no date here."""
    import h5py

    header = b"MATLAB 7.3 MAT-file, written by reproid HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM"
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w", userblock_size=512) as file:
            written = file.create_dataset(key, data=value, track_times=False)
            written.attrs["MATLAB_class"] = np.bytes_("double")
        with temporary.open("r+b") as file:
            file.write(header.ljust(512, b"\0"))
