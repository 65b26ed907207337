"""PRID-2011: Hirzer et al., "Person Re-Identification by Descriptive and Discriminative Classification", SCIA 2011.

Access: from the authors; for research. Tree, counted as released (385 persons in A, 749 in B, the first 200 in both):

    [prid_2011/]multi_shot/cam_a/person_0001/0001.png

The archive has multi_shot at its top; public loaders keep it in a folder prid_2011. Both are read.

The data set has no splits of its own. Papers use the 178 persons with at least 28 frames in both cameras (356 tracklets, 38,466
frames), 89 to train and 89 to test, in 10 splits. Two public sets of splits share the persons but no split, so none is standard;
``reproid-1`` is drawn here from a fixed seed, its splits are called reproid-1-0 to reproid-1-9. A splits.json in the data's
folder, in torchreid's format, takes its place, and its splits are called split-0, split-1, ..., so that no run takes one for the
other.

Camera A is query, camera B gallery; persons of no split are not indexed. The index's column ``subset`` is that of the first
split.
"""

import hashlib
from pathlib import Path

from reproid.datasets._read import Layout, RawTracklet, offenders, require_files
from reproid.datasets._two_cameras import SPLIT_FILE, Split, assign_roles, check_frames, list_frames, number_of, read_splits
from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError

PLACES, CAMERAS = ("prid_2011/multi_shot", "multi_shot"), ("cam_a", "cam_b")
DRAWN = "reproid-1"
"""Name and version of the drawn splits, and their seed: another draw is another name."""
SHARED, N_SPLITS = 200, 10
SHORT = (6, 19, 31, 52, 57, 62, 71, 94, 106, 120, 136, 138, 139, 142, 145, 158, 159, 166, 183, 190, 199, 200)
"""Persons in both cameras, but with too few frames in one."""


def read_prid_2011(root: Path) -> Layout:
    """Read a data set in PRID-2011's layout.

    Args:
        root: folder with multi_shot, or with prid_2011 around it, and optionally splits.json: a list of {"train": [names],
            "test": [names]}.

    Raises:
        InputError: if a folder is missing or empty, or the splits do not fit the persons.
    """
    data = DataFolder(root)
    shots = next((place for place in PLACES if data.is_folder(place)), PLACES[0])
    require_files(root, [f"{shots}/{camera}" for camera in CAMERAS], layout="prid-2011")
    present = [data.folders(f"{shots}/{camera}") for camera in CAMERAS]
    own = (root / SPLIT_FILE).exists()
    splits = read_splits(root / SPLIT_FILE) if own else drawn_splits()
    used = sorted({person for split in splits for person in split.train | split.test})
    both = set(present[0]) & set(present[1])
    missing = [person for person in used if person not in both]
    if missing:
        raise InputError(
            "persons of the splits are missing",
            where=root / shots,
            expected=f"{len(used)} persons in cam_a and cam_b",
            got=f"no {offenders(missing)}",
            fix="Unpack the data set again",
        )
    frames = {f"{camera}/{person}": list_frames(data, f"{shots}/{camera}/{person}") for person in used for camera in CAMERAS}
    check_frames(frames, root / shots)
    tracklets = tuple(
        RawTracklet(
            tracklet_id=f"{camera}_{person}",
            pid=number_of(person, "person_", root / shots),
            camid=camid,
            subset="train" if person in splits[0].train else "test",
            frames=frames[f"{camera}/{person}"],
        )
        for person in used
        for camid, camera in enumerate(CAMERAS)
    )
    facts = {
        "persons_a": len(present[0]),
        "persons_b": len(present[1]),
        "persons_used": len(used),
        "tracklets_used": len(tracklets),
        "frames_used": sum(len(t.frames) for t in tracklets),
    }
    names = {person: (f"cam_a_{person}", f"cam_b_{person}") for person in used}
    return Layout(tracklets=tracklets, assignments=assign_roles(splits, names, kind="split" if own else DRAWN), facts=facts)


def drawn_splits() -> list[Split]:
    """Return the ten splits ``reproid-1``.

    In split k the 178 persons stand in the order of the SHA-256 of "reproid-1/<k>/<number>", so that no generator's version
    matters; the first 89 are for training.
    """
    persons = [number for number in range(1, SHARED + 1) if number not in SHORT]
    out = []
    for split in range(N_SPLITS):
        order = sorted(persons, key=lambda number: hashlib.sha256(f"{DRAWN}/{split}/{number}".encode()).digest())
        train, test = order[: len(order) // 2], order[len(order) // 2 :]
        out.append(Split(train=frozenset(map(_name, train)), test=frozenset(map(_name, test))))
    return out


def _name(person: int) -> str:
    return f"person_{person:04d}"
