"""What all layouts share: records as read, checks of files first, then of counts, and sizes of images."""

import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Assignment, Subset
from reproid.datasets.shard_index import is_text
from reproid.errors import InputError

_DAMAGED = (ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError, MemoryError, zlib.error, struct.error)
"""What the readers of MATLAB files raise on damaged ones, beside their own errors."""
SHOWN = 5
"""Offenders that a message names; the rest are counted."""


@dataclass(frozen=True, kw_only=True)
class RawTracklet:
    """A tracklet as a layout declares it, before any image is opened."""

    tracklet_id: str
    pid: int
    camid: int
    subset: Subset
    frames: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a layout's adapter read."""

    tracklets: tuple[RawTracklet, ...]
    assignments: tuple[Assignment, ...]
    facts: dict[str, int] = field(default_factory=dict)
    """Counts of what the index does not hold, such as persons that no split uses."""


def require_files(root: Path, names: Sequence[str], *, layout: str) -> None:
    """Check that files or folders exist below ``root``.

    Raises:
        InputError: names the first missing ones.
    """
    if not root.is_dir():
        raise InputError("data folder not found", where=root, expected=f"a data set in the layout {layout}", fix="Check --root")
    data = DataFolder(root)
    missing = [name for name in names if not data.exists(name)]
    if missing:
        raise InputError(
            "files of the data set are missing",
            where=root,
            expected=f"the layout {layout}: {', '.join(names)}",
            got=f"no {offenders(missing)}",
            fix="Complete the data set, or name the folder that holds these",
        )


def missing_frames(data: DataFolder, tracklets: Iterable[RawTracklet]) -> list[str]:
    """Return the images named by tracklets that are in no file and in no shard; folders are listed once each."""
    listed = dict[str, set[str]]()
    missing: list[str] = []
    for tracklet in tracklets:
        for frame in tracklet.frames:
            folder, _, name = frame.rpartition("/")
            if folder not in listed:
                listed[folder] = set(data.files(folder))
            if name not in listed[folder]:
                missing.append(frame)
    return missing


def require_frames(root: Path, tracklets: Iterable[RawTracklet]) -> None:
    """Check that every image named by a tracklet is there.

    Raises:
        InputError: names the first missing images and their number.
    """
    if missing := missing_frames(DataFolder(root), tracklets):
        raise InputError(
            "images named by the data set are missing",
            where=root,
            expected="all images on disk",
            got=f"{len(missing)} missing: {offenders(missing)}",
            fix="Unpack the data set again",
        )


def image_size(data: DataFolder, name: str) -> tuple[int, int]:
    """Return (width, height) of an image, from its header alone.

    Raises:
        InputError: if it is missing or no image.
    """
    content = data.read(name)
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except (UnidentifiedImageError, OSError) as error:
        fix = "Unpack the data set again"
        raise InputError("not an image", where=data.place(name), expected="a JPEG or PNG file", fix=fix) from error


def read_matlab(path: Path, key: str, *, columns: int | None) -> NDArray[np.int64]:
    """Return an integer matrix of a MATLAB 5 file as a new int64 array, [n, columns] or, without ``columns``, [n].

    Raises:
        InputError: if the file is none, lacks the key or has another shape.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content: dict[str, Any] = loadmat(path)
    except (MatReadError, NotImplementedError, OSError, *_DAMAGED) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"not a MATLAB 5 file ({reason})", where=path, fix="Fetch it again") from error
    if key not in content:
        known = ", ".join(name for name in content if not name.startswith("__"))
        raise InputError("a MATLAB variable is missing", where=path, expected=key, got=known or "no variable")
    value = np.asarray(content[key])
    if not (value.ndim == 2 and (columns is None or value.shape[1] == columns) and _is_whole(value)):
        expected = f"{key} as an integer matrix [n, {columns}]" if columns else f"{key} as integers"
        raise InputError("a MATLAB variable has another shape", where=path, expected=expected, got=f"{value.dtype} {value.shape}")
    return value.astype(np.int64).reshape(-1, columns) if columns else value.astype(np.int64).ravel()


def read_matlab73(path: Path, key: str) -> NDArray[np.int64]:
    """Return a row of integers of a MATLAB 7.3 file, which is HDF5, as a new int64 array [n].

    Raises:
        InputError: if the file is none, lacks the key or has another shape.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            known = sorted(file)
            value = np.asarray(file[key]) if isinstance(file.get(key), h5py.Dataset) else None
    except (OSError, RuntimeError, *_DAMAGED) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"not a MATLAB 7.3 (HDF5) file ({reason})", where=path, fix="Fetch it again") from error
    if value is None:
        raise InputError("a MATLAB variable is missing", where=path, expected=key, got=", ".join(known) or "no variable")
    # MATLAB stores by columns: a row of n numbers is [n, 1] in the file, a column of n is [1, n]
    if value.ndim != 2 or min(value.shape) > 1 or not _is_whole(value):
        expected = f"{key} as a row or a column of whole numbers"
        raise InputError("a MATLAB variable has another shape", where=path, expected=expected, got=f"{value.dtype} {value.shape}")
    return value.astype(np.int64).ravel()


def _is_whole(value: NDArray[Any]) -> bool:
    """Tell whether an array holds whole numbers that an int64 holds."""
    if value.dtype.kind == "f":
        return bool((np.isfinite(value) & (value == np.floor(value)) & (np.abs(value) < 2**62)).all())
    return value.dtype.kind in "iu"


def check_queries(rows: NDArray[np.int64], n_test: int, *, where: Path) -> None:
    """Check a list of queries: 1-based places among the test tracklets, each once.

    Raises:
        InputError: says what is out of range, or the first that is named twice.
    """
    if len(rows) and (rows.min() < 1 or rows.max() > n_test):
        raise InputError(
            "queries lie outside the test tracklets",
            where=where,
            expected=f"rows in 1..{n_test}",
            got=f"{rows.min()}..{rows.max()}",
            fix="The queries and the list of tracklets are of different versions: fetch both again",
        )
    numbers, times = np.unique(rows, return_counts=True)
    if (times > 1).any():
        twice = [str(number) for number in numbers[times > 1]]
        raise InputError("queries are named twice", where=where, expected="each once", got=offenders(twice))


def check_labels(layout: Layout, *, where: object) -> None:
    """Check that an index can hold the labels and names: pids from -1, cameras from 0, names in UTF-8.

    Raises:
        InputError: names the first tracklet.
    """
    for t in layout.tracklets:
        if not (-1 <= t.pid < 2**31 and 0 <= t.camid < 2**15):
            raise InputError("a label is out of range", where=where, expected="pid >= -1 and camera >= 1",
                             got=f"pid {t.pid}, camera {t.camid + 1} of {t.tracklet_id!a}")  # fmt: skip
        if not is_text("".join((t.tracklet_id, *t.frames))):  # one look at all of them: a million names
            got = ascii(next(name for name in (t.tracklet_id, *t.frames) if not is_text(name)))
            raise InputError("a name is not UTF-8", where=where, expected="names that are text", got=got, fix="Rename it")


def check_counts(found: dict[str, int], expected: dict[str, int], *, where: object) -> None:
    """Compare counts with those declared.

    Raises:
        InputError: names every count that differs.
    """
    differing = [name for name in expected if found.get(name) != expected[name]]
    if differing:
        raise InputError(
            "counts differ from those declared",
            where=where,
            expected=", ".join(f"{name} {expected[name]:,}" for name in differing),
            got=", ".join(f"{name} {found[name]:,}" if name in found else f"no count {name}" for name in differing),
            fix="The data look incomplete or are of another version: fetch them again, or correct the declaration",
        )


def check_identities(layout: Layout, *, where: object) -> None:
    """Check that no split trains on a person that it tests.

    Raises:
        InputError: names the split and the first shared pids.
    """
    pids = {t.tracklet_id: t.pid for t in layout.tracklets}
    roles: dict[str, dict[bool, set[int]]] = {}
    for a in layout.assignments:
        roles.setdefault(a.split, {True: set(), False: set()})[a.role == "train"].add(pids[a.tracklet_id])
    for split, sides in roles.items():
        shared = sorted(pid for pid in sides[True] & sides[False] if pid > 0)
        if shared:
            raise InputError(
                "persons are in training and in test",
                where=f"{where}, split '{split}'",
                expected="no shared pid",
                got=f"{len(shared)} shared: {offenders([str(pid) for pid in shared])}",
            )


def offenders(names: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
