"""MARS's layout, written by its own rules: `reproid.datasets.mars` describes them."""

from pathlib import Path

import numpy as np

from reproid.catalog.synthetic import SyntheticSpec
from reproid.files import write_text
from reproid.synthetic.layouts import LayoutWriter, require
from reproid.synthetic.layouts._matlab import write_matlab
from reproid.synthetic.plan import PlannedTracklet, World


def names(tracklet: PlannedTracklet) -> list[str]:
    """Return the image names of a tracklet: 0001C1T0001F001.jpg."""
    return [f"{tracklet.key}F{frame:03d}.jpg" for frame in range(1, tracklet.frames + 1)]


def _paths(_world: World, tracklet: PlannedTracklet) -> list[str]:
    return [f"bbox_{tracklet.subset}/{name[:4]}/{name}" for name in names(tracklet)]


def _tracklet_id(_world: World, tracklet: PlannedTracklet) -> str:
    return names(tracklet)[0].removesuffix(".jpg")


def _write_info(world: World, folder: Path) -> None:
    info = folder / "info"
    for subset in ("train", "test"):
        rows: list[tuple[int, int, int, int]] = []
        listed: list[str] = []
        for tracklet in (t for t in world.tracklets if t.subset == subset):
            rows.append((len(listed) + 1, len(listed) + tracklet.frames, tracklet.pid, tracklet.camid + 1))
            listed += names(tracklet)
        write_text(info / f"{subset}_name.txt", "".join(f"{name}\n" for name in listed))
        write_matlab(info / f"tracks_{subset}_info.mat", f"track_{subset}_info", np.array(rows, dtype=np.int32).reshape(-1, 4))
    test = [t for t in world.tracklets if t.subset == "test"]
    queries = [row for row, tracklet in enumerate(test, start=1) if tracklet.query]
    write_matlab(info / "query_IDX.mat", "query_IDX", np.array([queries], dtype=np.uint16 if len(test) < 2**16 else np.uint32))


def _check(spec: SyntheticSpec) -> None:
    # One digit of a name is the camera, four are the person.
    persons = spec.train_persons + spec.test_persons
    require(spec.cameras <= 9, "mars", "cameras", expected="at most 9", got=spec.cameras)
    require(persons <= 9999, "mars", "persons", expected="at most 9999", got=persons)


LAYOUT = LayoutWriter(name="mars", check=_check, paths=_paths, tracklet_id=_tracklet_id, write_info=_write_info)
