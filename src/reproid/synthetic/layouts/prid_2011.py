"""PRID-2011's layout, written: `reproid.datasets.prid_2011` describes it. The splits stand in splits.json."""

from pathlib import Path

from reproid.files import write_json
from reproid.synthetic.layouts import LayoutWriter
from reproid.synthetic.layouts._two_cameras import N_SPLITS, check_two_cameras, train_persons
from reproid.synthetic.plan import PlannedTracklet, World


def _tracklet_id(_world: World, tracklet: PlannedTracklet) -> str:
    return f"cam_{'ab'[tracklet.camid]}_{_name(tracklet.pid)}"


def _paths(_world: World, tracklet: PlannedTracklet) -> list[str]:
    folder = f"prid_2011/multi_shot/cam_{'ab'[tracklet.camid]}/{_name(tracklet.pid)}"
    return [f"{folder}/{frame:04d}.png" for frame in range(1, tracklet.frames + 1)]


def _name(pid: int) -> str:
    return f"person_{pid:04d}"


def _write_info(world: World, folder: Path) -> None:
    splits = []
    for split in range(N_SPLITS):
        train = set(train_persons(world.spec, split))
        sides = {
            "train": [pid for pid in world.persons if pid in train],
            "test": [pid for pid in world.persons if pid not in train],
        }
        splits.append({side: [_name(pid) for pid in pids] for side, pids in sides.items()})
    write_json(folder / "splits.json", splits)


LAYOUT = LayoutWriter(
    name="prid-2011",
    check=lambda spec: check_two_cameras(spec, layout="prid-2011", max_pid=9999),
    paths=_paths,
    tracklet_id=_tracklet_id,
    write_info=_write_info,
    own_splits=True,
)
