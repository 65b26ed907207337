"""iLIDS-VID's layout, written: `reproid.datasets.ilids_vid` describes it."""

from pathlib import Path

import numpy as np

from reproid.synthetic.layouts import LayoutWriter
from reproid.synthetic.layouts._matlab import write_matlab
from reproid.synthetic.layouts._two_cameras import N_SPLITS, check_two_cameras, train_persons
from reproid.synthetic.plan import PlannedTracklet, World

FIRST_FRAME = 17
"""Frames are numbered by the camera's clock: the first one of a tracklet is not 1."""


def _tracklet_id(_world: World, tracklet: PlannedTracklet) -> str:
    return f"cam{tracklet.camid + 1}_person{tracklet.pid:03d}"


def _paths(world: World, tracklet: PlannedTracklet) -> list[str]:
    name = _tracklet_id(world, tracklet)
    folder = f"i-LIDS-VID/sequences/cam{tracklet.camid + 1}/person{tracklet.pid:03d}"
    return [f"{folder}/{name}_{FIRST_FRAME + k:05d}.png" for k in range(tracklet.frames)]


def _write_info(world: World, folder: Path) -> None:
    rows = []
    for split in range(N_SPLITS):
        train = train_persons(world.spec, split)
        rows.append([*(pid for pid in world.persons if pid not in set(train)), *train])
    write_matlab(folder / "train-test people splits/train_test_splits_ilidsvid.mat", "ls_set", np.array(rows, dtype=np.uint16))


LAYOUT = LayoutWriter(
    name="ilids-vid",
    check=lambda spec: check_two_cameras(spec, layout="ilids-vid", max_pid=999),
    paths=_paths,
    tracklet_id=_tracklet_id,
    write_info=_write_info,
    own_splits=True,
)
