"""iLIDS-VID: Wang et al., "Person Re-Identification by Video Ranking", ECCV 2014.

Access: from the authors; for research. Tree, counted as released (300 ids, 600 tracklets of 22 to 192 frames, 42,459 frames):

    i-LIDS-VID/sequences/cam1/person001/cam1_person001_00317.png
    train-test people splits/train_test_splits_ilidsvid.mat       ls_set [10, 300]: per split, first half test, rest train

Persons in ls_set are 1-based positions in the sorted list of person folders: their numbers have gaps. Camera 1 is query, camera 2
gallery. A splits.json in the data's folder, in torchreid's format, takes the place of the official file, and its splits are
called json-0, json-1, ..., so that a run never takes one for the other. The index's column ``subset`` is that of the first split.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reproid.datasets._read import Layout, RawTracklet, offenders, read_matlab, require_files
from reproid.datasets._two_cameras import SPLIT_FILE, Split, assign_roles, check_frames, list_frames, number_of, read_splits
from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError

SEQUENCES, SPLITS = "i-LIDS-VID/sequences", "train-test people splits/train_test_splits_ilidsvid.mat"
CAMERAS = ("cam1", "cam2")


def read_ilids_vid(root: Path) -> Layout:
    """Read a data set in iLIDS-VID's layout.

    Args:
        root: folder with i-LIDS-VID and "train-test people splits".

    Raises:
        InputError: if a file is missing, a person lacks one camera, or the splits name other persons.
    """
    own = (root / SPLIT_FILE).exists()
    require_files(root, [*(f"{SEQUENCES}/{camera}" for camera in CAMERAS), SPLIT_FILE if own else SPLITS], layout="ilids-vid")
    data = DataFolder(root)
    persons = [data.folders(f"{SEQUENCES}/{camera}") for camera in CAMERAS]
    if persons[0] != persons[1]:
        lonely = sorted(set(persons[0]) ^ set(persons[1]))
        raise InputError(
            "persons lack a camera",
            where=root / SEQUENCES,
            expected="every person in cam1 and cam2",
            got=f"{len(lonely)}: {lonely[0]}",
        )
    splits = _own_splits(root / SPLIT_FILE, persons[0]) if own else _official_splits(root / SPLITS, persons[0])
    frames = {f"{c}/{person}": list_frames(data, f"{SEQUENCES}/{c}/{person}") for person in persons[0] for c in CAMERAS}
    check_frames(frames, root / SEQUENCES)
    tracklets = [
        RawTracklet(
            tracklet_id=f"{camera}_{person}",
            pid=number_of(person, "person", root / SEQUENCES),
            camid=camid,
            subset="train" if person in splits[0].train else "test",
            frames=frames[f"{camera}/{person}"],
        )
        for person in persons[0]
        for camid, camera in enumerate(CAMERAS)
    ]
    names = {person: (f"cam1_{person}", f"cam2_{person}") for person in persons[0]}
    return Layout(tracklets=tuple(tracklets), assignments=assign_roles(splits, names, kind="json" if own else "split"))


def _own_splits(path: Path, persons: list[str]) -> list[Split]:
    splits = read_splits(path)
    unknown = sorted({person for split in splits for person in split.train | split.test} - set(persons))
    if unknown:
        raise InputError("persons of the splits are missing", where=path, expected=f"names among {len(persons)} persons",
                         got=offenders([ascii(name) for name in unknown]))  # fmt: skip
    return splits


def _official_splits(path: Path, persons: list[str]) -> list[Split]:
    return [_split(row, persons, path) for row in _read_splits(path)]


def _read_splits(path: Path) -> NDArray[np.int64]:
    rows = read_matlab(path, "ls_set", columns=None)
    if not len(rows) or len(rows) % 10:
        raise InputError("ls_set has another shape", where=path, expected="10 splits", got=f"{len(rows)} numbers in all")
    return rows.reshape(10, -1)


def _split(row: NDArray[np.int64], persons: list[str], path: Path) -> Split:
    if sorted(row.tolist()) != list(range(1, len(persons) + 1)):
        raise InputError(
            "a split does not name every person once",
            where=path,
            expected=f"1..{len(persons)}",
            got=f"{len(set(row.tolist()))} numbers in {row.min()}..{row.max()}",
        )
    half = len(row) // 2
    return Split(
        train=frozenset(persons[k - 1] for k in row[half:].tolist()), test=frozenset(persons[k - 1] for k in row[:half].tolist())
    )
