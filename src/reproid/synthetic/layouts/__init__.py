"""Official layouts, written: where each image goes, and the files beside the images."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reproid.catalog.synthetic import SyntheticSpec
from reproid.errors import InputError, unknown_name
from reproid.synthetic.plan import PlannedTracklet, World

LAYOUTS: dict[str, str] = {
    "mars": "reproid.synthetic.layouts.mars",
    "ls-vid": "reproid.synthetic.layouts.ls_vid",
    "ilids-vid": "reproid.synthetic.layouts.ilids_vid",
    "prid-2011": "reproid.synthetic.layouts.prid_2011",
    "dukemtmc-videoreid": "reproid.synthetic.layouts.dukemtmc_videoreid",
}
"""Layout -> module with a ``LAYOUT``."""


@dataclass(frozen=True, kw_only=True)
class LayoutWriter:
    """How a layout is written."""

    name: str
    check: Callable[[SyntheticSpec], None]
    """Raises an `InputError` when the layout cannot hold the set."""
    paths: Callable[[World, PlannedTracklet], list[str]]
    """Paths of a tracklet's images below the set's folder, in time order."""
    tracklet_id: Callable[[World, PlannedTracklet], str]
    """The name that the layout's adapter gives a tracklet."""
    write_info: Callable[[World, Path], None]
    """Writes the lists and MATLAB files."""
    own_splits: bool = False
    """The layout has its own rule of who is a query, in splits of its own."""


def layout_writer(name: str) -> LayoutWriter:
    """Return the writer of a layout.

    Raises:
        InputError: if it is unknown; names the known ones.
    """
    if name not in LAYOUTS:
        raise unknown_name("layout", name, list(LAYOUTS))
    return cast(LayoutWriter, importlib.import_module(LAYOUTS[name]).LAYOUT)


def require(right: bool, layout: str, what: str, *, expected: object, got: object) -> None:
    """Raise an `InputError` about a parameter that a layout cannot hold, unless it is right."""
    if not right:
        raise InputError(
            f"the layout cannot hold such a set: {what}",
            where=f"layout {layout}",
            expected=expected,
            got=got,
            fix=f"Change {what}, or take another layout",
        )
