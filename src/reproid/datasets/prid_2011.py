"""PRID-2011: Hirzer et al., "Person Re-Identification by Descriptive and Discriminative Classification", SCIA 2011.

Access: from the authors; for research. Tree, counted as released (385 persons in A, 749 in B, the first 200 in both):

    prid_2011/multi_shot/cam_a/person_0001/0001.png

The data set has no splits of its own. Papers use the 178 persons with enough frames in both cameras (356 tracklets, 38,466
frames), 89 to train and 89 to test, in 10 splits; two public sets of splits share the persons but no split. The one used here is
``dal-2018`` (prid_2011_splits.yaml), unless the data folder holds a splits.json. Camera A is query, camera B gallery; persons of
no split are not indexed. The index's column ``subset`` is that of split-0.
"""

from pathlib import Path
from typing import Any

from reproid.datasets._read import Layout, RawTracklet, offenders, require_files
from reproid.datasets._two_cameras import Split, assign_roles, list_frames
from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError
from reproid.files import read_json

SHOTS, CAMERAS, OWN_SPLITS = "prid_2011/multi_shot", ("cam_a", "cam_b"), "splits.json"


def read_prid_2011(root: Path) -> Layout:
    """Read a data set in PRID-2011's layout.

    Args:
        root: folder with prid_2011, and optionally splits.json: a list of {"train": [names], "test": [names]}.

    Raises:
        InputError: if a folder is missing, or the splits name persons that are not in both cameras.
    """
    require_files(root, [f"{SHOTS}/{camera}" for camera in CAMERAS], layout="prid-2011")
    data = DataFolder(root)
    present = [data.folders(f"{SHOTS}/{camera}") for camera in CAMERAS]
    splits = _read_splits(root)
    used = sorted({person for split in splits for person in split.train | split.test})
    missing = [person for person in used if person not in present[0] or person not in present[1]]
    if missing:
        raise InputError(
            "persons of the splits are missing",
            where=root / SHOTS,
            expected=f"{len(used)} persons in cam_a and cam_b",
            got=f"no {offenders(missing)}",
            fix="Unpack the data set again",
        )
    tracklets = tuple(
        RawTracklet(
            tracklet_id=f"{camera}_{person}",
            pid=int(person.removeprefix("person_")),
            camid=camid,
            subset="train" if person in splits[0].train else "test",
            frames=list_frames(data, f"{SHOTS}/{camera}/{person}"),
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
    return Layout(tracklets=tracklets, assignments=assign_roles(splits, names), facts=facts)


def _read_splits(root: Path) -> list[Split]:
    own = root / OWN_SPLITS
    if own.exists():
        return _parse_splits(read_json(own), own)
    return published_splits()


def _parse_splits(value: Any, path: Path) -> list[Split]:
    right = isinstance(value, list) and value and all(isinstance(v, dict) and {"train", "test"} <= v.keys() for v in value)
    if not right:
        raise InputError("not a list of splits", where=path, expected='[{"train": [names], "test": [names]}, ...]')
    return [Split(train=frozenset(v["train"]), test=frozenset(v["test"])) for v in value]


def published_splits() -> list[Split]:
    """Return the ten splits ``dal-2018``."""
    from ruamel.yaml import YAML

    published = YAML(typ="safe", pure=True).load(Path(__file__).with_name("prid_2011_splits.yaml").read_text(encoding="utf-8"))
    persons = frozenset(published["persons"])
    trains = [frozenset(train) for train in published["train"]]
    return [Split(train=frozenset(map(_name, train)), test=frozenset(map(_name, persons - train))) for train in trains]


def _name(person: int) -> str:
    return f"person_{person:04d}"
