"""LS-VID's layout, written: `reproid.datasets.ls_vid` describes it.

The real set has neither junk nor a pid for distractors; here they keep the pids -1 and 0 of the set, so that labels are equal in
all layouts. A set without persons for validation is written: no list of them.
"""

from pathlib import Path

import numpy as np

from reproid.catalog.synthetic import SyntheticSpec
from reproid.files import write_text
from reproid.synthetic.layouts import LayoutWriter, require
from reproid.synthetic.layouts._matlab import write_matlab73
from reproid.synthetic.plan import PlannedTracklet, World


def _tracklet_id(_world: World, tracklet: PlannedTracklet) -> str:
    pid, camera = tracklet.key.partition("C")[0], tracklet.camid + 1
    # The second field numbers the tracklets of a person over all cameras.
    return f"{pid}_{camera * 100 + tracklet.number:04d}_{camera:02d}"


def _prefix(world: World, tracklet: PlannedTracklet) -> str:
    pid = tracklet.key.partition("C")[0]
    return f"tracklet_{tracklet.subset}/{pid}/{_tracklet_id(world, tracklet)}"


def _paths(world: World, tracklet: PlannedTracklet) -> list[str]:
    return [f"{_prefix(world, tracklet)}_{frame:04d}.jpg" for frame in range(1, tracklet.frames + 1)]


def _write_info(world: World, folder: Path) -> None:
    for subset in ("train", "test"):
        lines = [f"{_prefix(world, t)} {t.pid}\n" for t in world.tracklets if t.subset == subset]
        write_text(folder / f"list_sequence/list_seq_{subset}.txt", "".join(lines))
    test = [t for t in world.tracklets if t.subset == "test"]
    queries = [line for line, tracklet in enumerate(test, start=1) if tracklet.query]
    write_matlab73(folder / "test/data/info_test.mat", "query", np.array([queries], dtype=np.float64))


def _check(spec: SyntheticSpec) -> None:
    persons, most = spec.train_persons + spec.test_persons, max(spec.tracklets_per_camera[1], spec.junk, spec.distractors)
    require(persons <= 9999, "ls-vid", "persons", expected="at most 9999", got=persons)
    require(most < 100, "ls-vid", "tracklets of one pid in one camera", expected="at most 99", got=most)


LAYOUT = LayoutWriter(name="ls-vid", check=_check, paths=_paths, tracklet_id=_tracklet_id, write_info=_write_info)
