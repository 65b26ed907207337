"""Official layouts, written: where each image goes, and the files beside the images."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reproid.errors import unknown_name
from reproid.synthetic.plan import PlannedTracklet, World

LAYOUTS: dict[str, str] = {
    "mars": "reproid.synthetic.layouts.mars",
}
"""Layout -> module with a ``LAYOUT``."""


@dataclass(frozen=True, kw_only=True)
class LayoutWriter:
    """How a layout is written."""

    name: str
    max_cameras: int
    """As many as its names can tell apart."""
    max_pid: int
    paths: Callable[[World, PlannedTracklet], list[str]]
    """Paths of a tracklet's images below the set's folder, in time order."""
    tracklet_id: Callable[[World, PlannedTracklet], str]
    """The name that the layout's adapter gives a tracklet."""
    write_info: Callable[[World, Path], None]
    """Writes the lists and MATLAB files."""


def layout_writer(name: str) -> LayoutWriter:
    """Return the writer of a layout.

    Raises:
        InputError: if it is unknown; names the known ones.
    """
    if name not in LAYOUTS:
        raise unknown_name("layout", name, list(LAYOUTS))
    return cast(LayoutWriter, importlib.import_module(LAYOUTS[name]).LAYOUT)
