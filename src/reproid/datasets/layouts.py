"""From a folder in an official layout to an index: one adapter per layout, the same checks for all."""

import importlib
from collections.abc import Callable
from pathlib import Path

from reproid.datasets._read import Layout, RawTracklet, check_counts, check_identities, check_labels, image_size, require_frames
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Index, Tracklet
from reproid.errors import InputError, unknown_name

LAYOUTS: dict[str, tuple[str, str]] = {
    "mars": ("reproid.datasets.mars", "read_mars"),
    "ls-vid": ("reproid.datasets.ls_vid", "read_ls_vid"),
    "ilids-vid": ("reproid.datasets.ilids_vid", "read_ilids_vid"),
    "prid-2011": ("reproid.datasets.prid_2011", "read_prid_2011"),
    "dukemtmc-videoreid": ("reproid.datasets.dukemtmc_videoreid", "read_dukemtmc_videoreid"),
    "folder": ("reproid.datasets.folder", "read_folder"),
}
"""Layout -> module and function that reads it."""


def adapter(layout: str) -> Callable[[Path], Layout]:
    """Return the function that reads a layout.

    Raises:
        InputError: if it is unknown; names the known ones.
    """
    if layout not in LAYOUTS:
        raise unknown_name("layout", layout, list(LAYOUTS))
    module, name = LAYOUTS[layout]
    function: Callable[[Path], Layout] = getattr(importlib.import_module(module), name)
    return function


def build_index(dataset: str, root: Path | str, *, layout: str, expected: dict[str, int] | None = None) -> Index:
    """Read a data set: files are checked first, then identities, then counts.

    Args:
        dataset: name under which it is indexed.
        root: the data's folder, packed or not.
        layout: name of the official layout.
        expected: counts to assert, by the names in ``index.COUNT_NAMES`` and in the layout's facts.

    Raises:
        InputError: says what is missing or differs.
    """
    root = Path(root)
    raw = read_layout(root, layout)
    check_unique(raw, root)
    require_frames(root, raw.tracklets)
    check_identities(raw, where=root)
    data = DataFolder(root)
    index = Index(
        dataset=dataset,
        subsets={t.tracklet_id: t.subset for t in raw.tracklets},
        records={t.tracklet_id: _sized(data, t) for t in raw.tracklets},
        assignments=raw.assignments,
    )
    check_counts({**index.counts(), **raw.facts}, expected or {}, where=root)
    return index


def read_layout(root: Path, layout: str) -> Layout:
    """Read a data set in an official layout.

    Raises:
        InputError: if its files do not fit the layout, or there is no tracklet.
    """
    raw = adapter(layout)(root)
    check_labels(raw, where=root)
    if not raw.tracklets:
        raise InputError("the data set is empty", where=root, expected=f"tracklets in the layout {layout}", got="none")
    return raw


def check_unique(raw: Layout, root: Path) -> None:
    """Check that no two tracklets share a name.

    Raises:
        InputError: names the first.
    """
    seen: set[str] = set()
    for tracklet in raw.tracklets:
        if tracklet.tracklet_id in seen:
            raise InputError("two tracklets share a name", where=root, expected="unique names", got=tracklet.tracklet_id)
        seen.add(tracklet.tracklet_id)


def _sized(data: DataFolder, raw: RawTracklet) -> Tracklet:
    width, height = image_size(data, raw.frames[0])
    return Tracklet(tracklet_id=raw.tracklet_id, pid=raw.pid, camid=raw.camid, frames=raw.frames, width=width, height=height)
