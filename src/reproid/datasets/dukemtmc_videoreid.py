"""DukeMTMC-VideoReID: Wu et al., "Exploit the Unknown Gradually", CVPR 2018. Withdrawn by the authors of its footage in 2019.

No link and no mirror is given here; a copy that a user may use is read. Tree, counted as released (train 702 ids, 2,196
tracklets; query 702 tracklets; gallery 2,636 tracklets of 1,110 ids):

    {train,query,gallery}/0001/0003/0001_C6_F0099_X30823.jpg      person / tracklet / person_camera_frame_time

The gallery folder already holds the query tracklets: they are one tracklet with two roles.
"""

import re
from pathlib import Path

from reproid.datasets._read import Layout, RawTracklet, require_files
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Assignment, Role
from reproid.errors import InputError

ROLES: tuple[Role, ...] = ("train", "query", "gallery")
_NAME = re.compile(r"(?P<pid>\d{4}|00-1)_C(?P<camera>\d+)_F(?P<frame>\d+)_X\d+\.jpg")


def read_dukemtmc_videoreid(root: Path) -> Layout:
    """Read a data set in DukeMTMC-VideoReID's layout.

    Args:
        root: folder with train, query and gallery.

    Raises:
        InputError: if a folder is missing, an image has another name, or a tracklet mixes persons or cameras.
    """
    require_files(root, ROLES, layout="dukemtmc-videoreid")
    data, found = DataFolder(root), dict[str, RawTracklet]()
    assignments: list[Assignment] = []
    # The gallery is read before the queries, so that a tracklet in both has the gallery's paths.
    for role in ("train", "gallery", "query"):
        for person in data.folders(role):
            for name in data.folders(f"{role}/{person}"):
                tracklet = _tracklet(data, f"{role}/{person}/{name}", role)
                found.setdefault(tracklet.tracklet_id, tracklet)
                assignments.append(Assignment(split="official", tracklet_id=tracklet.tracklet_id, role=_ROLE_OF[role]))
    order = {role: k for k, role in enumerate(ROLES)}
    assignments.sort(key=lambda a: order[a.role])
    return Layout(tracklets=tuple(found.values()), assignments=tuple(assignments))


_ROLE_OF: dict[str, Role] = {role: role for role in ROLES}


def _tracklet(data: DataFolder, folder: str, role: str) -> RawTracklet:
    names = sorted([*data.files(folder), *data.folders(folder)])
    parsed = [_NAME.fullmatch(name) for name in names]
    if not names or None in parsed:
        odd = names[parsed.index(None)] if names else "no image"
        raise InputError("not an image of the layout", where=data.root / folder, expected="0001_C6_F0099_X30823.jpg", got=odd)
    kinds = sorted({(match["pid"], match["camera"]) for match in parsed if match})
    if len(kinds) > 1:
        raise InputError(
            "a tracklet mixes persons or cameras",
            where=data.root / folder,
            expected="one of each",
            got=", ".join(map(str, kinds)),
        )
    pid, camera = kinds[0]
    # Person, camera and folder name a tracklet; the folder's number alone is unique only within a person.
    return RawTracklet(
        tracklet_id=f"{pid}_C{camera}_{folder.rpartition('/')[2]}",
        pid=-1 if pid == "00-1" else int(pid),
        camid=int(camera) - 1,
        subset="train" if role == "train" else "test",
        frames=tuple(f"{folder}/{name}" for name in names),
    )
