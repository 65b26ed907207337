"""`folder`: your own footage. What is in the folder says how it is read; ids are numbers, -1 is junk, 0 a distractor.

    images.csv                        path,pid,camid and, if wanted, tracklet,role: one line per image, in time order
    *.mp4 (avi, mkv, mov, webm)       each one camera; beside it <stem>.csv or <stem>.txt, boxes with ids (folder_boxes.py)
    train/ query/ gallery/            any of them, with images as below; also by Market-1501's names of folders
    0001/2/*.jpg                      pid/camid/, one tracklet per folder
    0001_c1s1_000151_01.jpg           Market-1501's names: pid, camera (from 1), sequence, frame, box
    02_17.png                         camera_object: one image per camera and person

Cameras are numbered as they stand there; Market-1501's from 1, read as from 0; videos in the order of their names, from 0.
Without roles, every tracklet is a query and in the gallery; junk and distractors are in the gallery alone.
"""

import logging
from pathlib import Path

from reproid.datasets._read import Layout, RawTracklet, offenders, require_frames
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.folder_csv import TABLE, read_table
from reproid.datasets.folder_images import check_images, read_images
from reproid.datasets.folder_video import find_videos, read_videos
from reproid.datasets.index import Assignment, Role, Subset
from reproid.errors import InputError

ROLE_FOLDERS: dict[Role, tuple[str, ...]] = {
    "train": ("train", "bounding_box_train"),
    "query": ("query",),
    "gallery": ("gallery", "bounding_box_test"),
}
_log = logging.getLogger(__name__)
Read = dict[RawTracklet, tuple[Role, ...]]


def read_folder(root: Path) -> Layout:
    """Read a folder of one's own footage. Images are all decoded once.

    Boxes of videos are cropped once, to shards in ``crops/`` below the folder.

    Args:
        root: the folder.

    Returns:
        Tracklets, roles, and as facts how many tracklets have one frame alone, and how many change size.

    Raises:
        InputError: names the file, and the line where there is one.
    """
    if not root.is_dir():
        raise InputError("data folder not found", where=root, expected="a folder of images or videos", fix="Check --root")
    if videos := find_videos(root):
        return _layout(dict.fromkeys(read_videos(root, videos), ("query", "gallery")), root, {})
    found = read_table(root) if (root / TABLE).exists() else _read_roles(root)
    require_frames(root, found)
    changing = check_images(DataFolder(root), tuple(found))
    if changing:
        _log.warning(
            "note: images change size within %d tracklets (%s); each is resized alone", len(changing), offenders(changing)
        )
    return _layout(found, root, {"tracklets_that_change_size": len(changing)})


def _read_roles(root: Path) -> Read:
    """Return the tracklets of the role folders, or of the folder itself where there are none."""
    data = DataFolder(root)
    present = {role: [name for name in names if data.is_folder(name)] for role, names in ROLE_FOLDERS.items()}
    if not any(present.values()):
        return dict.fromkeys(read_images(data, "", subset="test", prefix=""), ("query", "gallery"))
    found: Read = {}
    for role, folders in present.items():
        for folder in folders[:1]:
            subset: Subset = "train" if role == "train" else "test"
            found |= dict.fromkeys(read_images(data, folder, subset=subset, prefix=f"{role}/"), (role,))
    return found


def _layout(found: Read, root: Path, facts: dict[str, int]) -> Layout:
    order: tuple[Role, ...] = ("train", "query", "gallery")
    assignments = tuple(
        Assignment(split="official", tracklet_id=tracklet.tracklet_id, role=role)
        for role in order
        for tracklet, roles in found.items()
        if role in roles and (role != "query" or tracklet.pid > 0)  # junk and distractors are nobody to look for
    )
    for role in ("query", "gallery"):
        if not any(assignment.role == role for assignment in assignments):
            got = f"{len(found)} tracklets of other roles, or of pid -1 or 0"
            raise InputError(f"no {role} tracklet", where=root, expected="at least 1", got=got)
    single = [tracklet.tracklet_id for tracklet in found if len(tracklet.frames) == 1]
    if single:
        _log.warning("note: %d of %d tracklets have one frame alone (%s)", len(single), len(found), offenders(single))
    return Layout(tracklets=tuple(found), assignments=assignments, facts={**facts, "tracklets_of_one_frame": len(single)})
