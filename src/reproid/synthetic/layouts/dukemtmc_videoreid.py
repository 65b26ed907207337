"""DukeMTMC-VideoReID's layout, written: `reproid.datasets.dukemtmc_videoreid` describes it.

The real set has neither junk nor a pid for distractors; here they keep the pids -1 and 0 of the set, so that labels are equal in
all layouts. The gallery folder holds the query tracklets, as in the original: those images are written twice.
"""

import shutil
from pathlib import Path

from reproid.catalog.synthetic import SyntheticSpec
from reproid.synthetic.layouts import LayoutWriter, require
from reproid.synthetic.plan import PlannedTracklet, World


def _pid(tracklet: PlannedTracklet) -> str:
    return tracklet.key.partition("C")[0]


def _folder(tracklet: PlannedTracklet) -> str:
    # Folders number the tracklets of a person over all cameras.
    return f"{(tracklet.camid + 1) * 100 + tracklet.number:04d}"


def _tracklet_id(_world: World, tracklet: PlannedTracklet) -> str:
    return f"{_pid(tracklet)}_C{tracklet.camid + 1}_{_folder(tracklet)}"


def _paths(_world: World, tracklet: PlannedTracklet) -> list[str]:
    pid, folder = _pid(tracklet), _folder(tracklet)
    role = "train" if tracklet.subset == "train" else "gallery"
    time = 1000 * tracklet.number
    names = [f"{pid}_C{tracklet.camid + 1}_F{k + 1:04d}_X{time + k:05d}.jpg" for k in range(tracklet.frames)]
    return [f"{role}/{pid}/{folder}/{name}" for name in names]


def _write_info(world: World, folder: Path) -> None:
    for tracklet in (t for t in world.tracklets if t.query):
        for path in _paths(world, tracklet):
            target = folder / path.replace("gallery/", "query/", 1)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target)


def _check(spec: SyntheticSpec) -> None:
    persons, most = spec.train_persons + spec.test_persons, max(spec.tracklets_per_camera[1], spec.junk, spec.distractors)
    require(spec.cameras <= 9, "dukemtmc-videoreid", "cameras", expected="at most 9", got=spec.cameras)
    require(persons <= 9999, "dukemtmc-videoreid", "persons", expected="at most 9999", got=persons)
    require(most < 100, "dukemtmc-videoreid", "tracklets of one pid in one camera", expected="at most 99", got=most)


LAYOUT = LayoutWriter(name="dukemtmc-videoreid", check=_check, paths=_paths, tracklet_id=_tracklet_id, write_info=_write_info)
