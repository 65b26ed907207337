"""Small pictures of tracklets for a page that stands alone. Only where the user names the frames: they may be restricted."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from reproid.datasets.data_folder import DataFolder
from reproid.retrieval._parquet import read_columns

SIZE = 48, 96


def thumbnails(ids: Sequence[str], *, index: Path, data: Path) -> Mapping[str, str]:
    """Return a data URI (JPEG, at most 48 x 96 pixels) of each tracklet's middle frame; tracklets without one are left out.

    Args:
        ids: tracklets.
        index: folder with tracklets.parquet.
        data: folder that the index's frame paths are below.

    Raises:
        InputError: if the index is missing or damaged.
    """
    frames = _middle_frames(index / "tracklets.parquet", set(ids))
    folder = DataFolder(data)
    found = {name: thumbnail(folder, frames[name]) for name in ids if name in frames}
    return {name: uri for name, uri in found.items() if uri is not None}


def _middle_frames(path: Path, ids: set[str]) -> dict[str, str]:
    columns = read_columns(path, ("tracklet_id", "frames"), fix="Give the folder of the data set's index")
    rows = zip(columns["tracklet_id"], columns["frames"], strict=True)
    return {name: frames[len(frames) // 2] for name, frames in rows if name in ids and frames}


def thumbnail(data: DataFolder, frame: str) -> str | None:
    """Return a data URI of one frame of the folder; None where it cannot be read.

    Raises:
        InputError: if the frame lies outside the folder.
    """
    from PIL import Image

    data.check_inside(frame)
    try:
        with Image.open(io.BytesIO(data.read(frame))) as image:
            image.thumbnail(SIZE)
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, "JPEG", quality=80)
    except (OSError, SyntaxError, ValueError):  # InputError is a ValueError
        # One unreadable frame is shown as a labelled gap; a comparison must not fail for it.
        return None
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
