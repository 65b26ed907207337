"""Motion of test clips as `reproid media` wrote it: results/media/<data set>/<media id>/clips.parquet."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from reproid.catalog.media import PlannedMedia
from reproid.clips.motion import Motion
from reproid.errors import InputError
from reproid.files import read_json

MEDIA, CLIPS = "media.json", "clips.parquet"
SCHEMA_NUMBER = 1
SCHEMA = pa.schema(
    [
        ("tracklet_id", pa.string()),
        ("clip", pa.int32()),
        ("n_real", pa.int32()),
        ("positions", pa.list_(pa.int32())),
        ("motion", pa.list_(pa.int16())),
        ("valid", pa.binary()),
        ("bytes", pa.int32()),
        ("p_frames", pa.int32()),
        ("intra", pa.float64()),
        ("energy", pa.float64()),
        ("energy_still", pa.float64()),
        ("motion_px", pa.float64()),
    ]
)
"""motion: quarter pixels, [T-1, 2, h, w] in a row; valid: [T-1, h, w], eight to a byte. The rest: `reproid.media.statistics`."""
_FIX = "Make it again: reproid media"


class StoredMotion:
    """Motion of clips by tracklet and number. It may be part of a data set that loader workers copy."""

    def __init__(self, folder: Path, plan: PlannedMedia, *, data_sha256: str) -> None:
        """Open the motion of a plan.

        Raises:
            InputError: if the file is missing or damaged, or was made under another plan or of other data.
        """
        about = read_json(folder / MEDIA)
        found = about.get("plan") if isinstance(about, dict) else None
        if found != plan.model_dump(mode="json"):
            got = found.get("media_id") if isinstance(found, dict) else "nothing of the kind"
            raise InputError("motion of other clips", where=folder / MEDIA, expected=f"media {plan.media_id}", got=got, fix=_FIX)
        if about.get("data_sha256") != data_sha256:
            raise InputError("motion of other data: the index has changed since it was made", where=folder / MEDIA, fix=_FIX)
        self.path, self._height, self._width = folder / CLIPS, plan.height, plan.width
        self._process = 0
        table = self._guarded(lambda file: file.read(columns=["tracklet_id", "clip"], use_threads=False))
        keys = zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True)
        self._rows = {key: row for row, key in enumerate(keys)}

    def read(self, tracklet_id: str, clip: int, positions: list[int]) -> Motion:
        """Return the motion of a clip.

        Raises:
            InputError: if there is none, or it is that of other frames.
        """
        row = self._rows.get((tracklet_id, clip))
        if row is None:
            raise InputError(f"no motion of clip {clip} of tracklet {tracklet_id}", where=self.path, fix=_FIX)
        group, place = self._place(row)
        values = {name: group.column(name)[place].as_py() for name in ("positions", "motion", "valid")}
        if values["positions"] != positions:
            what = f"motion of other frames for clip {clip} of tracklet {tracklet_id}"
            raise InputError(what, where=self.path, expected=positions, got=values["positions"], fix=_FIX)
        shape = (len(positions) - 1, self._height // 16, self._width // 16)
        motion = np.array(values["motion"], np.float32).reshape(shape[0], 2, *shape[1:]) / 4
        valid = np.unpackbits(np.frombuffer(values["valid"], np.uint8), count=int(np.prod(shape))).astype(np.bool_)
        return Motion(motion=torch.from_numpy(motion), valid=torch.from_numpy(valid.reshape(shape)))

    def _place(self, row: int) -> tuple[pa.Table, int]:
        """Return the row group that holds a row, and the row's place in it. A process keeps its own file and last groups."""
        if self._process != os.getpid():
            starts = self._guarded(lambda file: [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
            self._ends = np.cumsum(starts)
            self._group = lru_cache(maxsize=2)(self._read_group)
            self._process = os.getpid()
        number = int(np.searchsorted(self._ends, row, side="right"))
        return self._group(number), row - (int(self._ends[number - 1]) if number else 0)

    def _read_group(self, number: int) -> pa.Table:
        columns = ["positions", "motion", "valid"]
        return self._guarded(lambda file: file.read_row_group(number, columns=columns, use_threads=False))

    def _guarded(self, work: Any) -> Any:
        try:
            with pq.ParquetFile(self.path) as file:
                return work(file)
        except FileNotFoundError as error:
            raise InputError("file not found", where=self.path, fix=_FIX) from error
        except (pa.ArrowException, OSError, KeyError) as error:
            raise InputError("not a Parquet file, or damaged", where=self.path, fix=_FIX) from error

    def __getstate__(self) -> dict[str, Any]:
        kept = ("path", "_height", "_width", "_rows")
        return {name: value for name, value in self.__dict__.items() if name in kept} | {"_process": 0}
