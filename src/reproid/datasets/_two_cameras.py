"""Data sets of two cameras and several splits of the persons: camera 1 asks, camera 2 answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproid.datasets._read import offenders
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Assignment
from reproid.errors import InputError
from reproid.files import read_json

SPLIT_FILE = "splits.json"
"""Splits of a user's choice in the data set's folder, in torchreid's format: [{"train": [names], "test": [names]}, ...]."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """The persons of one split, by the layout's names."""

    train: frozenset[str]
    test: frozenset[str]


def list_frames(data: DataFolder, folder: str) -> tuple[str, ...]:
    """Return the PNG files of a folder, sorted, as paths below the data's folder."""
    return tuple(f"{folder}/{name}" for name in data.files(folder) if name.endswith(".png"))


def read_splits(path: Path) -> list[Split]:
    """Read a JSON file of splits in torchreid's format; other keys than train and test are passed over.

    Raises:
        InputError: if it is none, or a split is empty, names a person twice, or has one in training and in test.
    """
    value = read_json(path)
    expected = '[{"train": [names], "test": [names]}, ...]'
    if not isinstance(value, list) or not value:
        raise InputError("not a list of splits", where=path, expected=expected, got=_kind(value))
    return [_read_split(entry, f"{path}, split {number}", expected) for number, entry in enumerate(value)]


def _read_split(entry: Any, where: str, expected: str) -> Split:
    sides = [entry.get(side) for side in ("train", "test")] if isinstance(entry, dict) else [None]
    for names in sides:
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise InputError(
                "not a split", where=where, expected=expected, got=_kind(names if isinstance(entry, dict) else entry)
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError("persons are named twice", where=where, expected="each once", got=offenders(twice))
    train, test = (frozenset(names) for names in sides if names is not None)
    if both := sorted(train & test):
        raise InputError("persons are in training and in test", where=where, expected="no shared person", got=offenders(both))
    return Split(train=train, test=test)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        odd = next((entry for entry in value if not isinstance(entry, str) or not entry), None)
        return f"a list with {odd!r:.60}" if value and odd is not None else "an empty list"
    return f"{value!r:.60}"


def number_of(person: str, start: str, where: object) -> int:
    """Return the number in the name of a person's folder, such as 7 of person_0007.

    Raises:
        InputError: if the name is another, or its number is no pid.
    """
    digits = person.removeprefix(start)
    if not person.startswith(start) or not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:12]) < 2**31:
        raise InputError("not a person's folder", where=where, expected=f"{start}NNNN from 1", got=ascii(person))
    return int(digits)


def check_frames(tracklets: dict[str, tuple[str, ...]], where: object) -> None:
    """Refuse tracklets, by the names of their folders, that have no image.

    Raises:
        InputError: names the first.
    """
    if empty := [name for name, frames in tracklets.items() if not frames]:
        raise InputError("persons without an image", where=where, expected="PNG files", got=offenders(empty),
                         fix="Unpack the data set again")  # fmt: skip


def assign_roles(
    splits: Sequence[Split], tracklets: dict[str, tuple[str, str]], *, kind: str = "split"
) -> tuple[Assignment, ...]:
    """Return the roles in splits split-0, split-1, ...

    Args:
        splits: in their published order.
        tracklets: person -> tracklet ids in camera 1 and camera 2, in the data set's order.
        kind: what the splits are called before their number.
    """
    out: list[Assignment] = []
    for number, split in enumerate(splits):
        name = f"{kind}-{number}"
        out += [
            Assignment(split=name, tracklet_id=t, role="train") for p, pair in tracklets.items() if p in split.train for t in pair
        ]
        for role, camera in (("query", 0), ("gallery", 1)):
            out += [
                Assignment(split=name, tracklet_id=pair[camera], role="query" if role == "query" else "gallery")
                for p, pair in tracklets.items()
                if p in split.test
            ]
    return tuple(out)
