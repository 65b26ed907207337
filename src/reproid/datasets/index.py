"""The tracklet index: what every later step knows of a data set, whatever its layout."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from reproid.errors import InputError, unknown_name
from reproid.files import atomic_path

Role = Literal["train", "query", "gallery"]
Subset = Literal["train", "test"]

JUNK, DISTRACTOR = -1, 0
"""pids with a meaning: ignored by evaluation; nobody's match."""

COUNT_NAMES = (
    *("train_persons", "train_tracklets", "train_frames", "test_persons", "test_tracklets", "test_frames"),
    *("query_tracklets", "gallery_tracklets", "junk_tracklets", "distractor_tracklets", "query_persons", "gallery_persons"),
    *("persons", "tracklets", "frames"),
)
"""Counts that a data set may declare, of its first split; persons counts -1 and 0 as MARS does: one each."""

_TRACKLETS = pa.schema(
    [
        ("dataset", pa.string()),
        ("tracklet_id", pa.string()),
        ("pid", pa.int32()),
        ("camid", pa.int16()),
        ("subset", pa.string()),
        ("frames", pa.list_(pa.string())),
        ("n_frames", pa.int32()),
        ("width", pa.int16()),
        ("height", pa.int16()),
    ]
)
_SPLITS = pa.schema([("dataset", pa.string()), ("split", pa.string()), ("tracklet_id", pa.string()), ("role", pa.string())])


@dataclass(frozen=True, kw_only=True)
class Tracklet:
    """One person in one camera, for a while."""

    tracklet_id: str
    pid: int
    """-1 junk, 0 distractor."""
    camid: int
    """0-based."""
    frames: tuple[str, ...]
    """Paths below the data root, in time order."""
    width: int
    """Pixels of the first frame; 0: not known."""
    height: int
    """Pixels of the first frame; 0: not known."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What a tracklet is for in a split."""

    split: str
    tracklet_id: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class Index:
    """All tracklets of a data set, and their roles."""

    dataset: str
    subsets: dict[str, Subset] = field(repr=False)
    """Part of the data set that a tracklet comes from, by tracklet id."""
    records: dict[str, Tracklet] = field(repr=False)
    """By tracklet id, in the data set's order."""
    assignments: tuple[Assignment, ...] = field(repr=False)

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, in the data set's order."""
        return tuple(dict.fromkeys(a.split for a in self.assignments))

    def tracklets(self, role: Role, split: str = "official") -> tuple[Tracklet, ...]:
        """Return the tracklets that have a role in a split, in the data set's order.

        Raises:
            InputError: if there is no such split or role; names the known ones.
        """
        if split not in self.splits:
            raise unknown_name("split", split, list(self.splits), where=f"index of {self.dataset}")
        if role not in get_args(Role):
            raise unknown_name("role", role, list(get_args(Role)), where=f"index of {self.dataset}")
        return tuple(self.records[a.tracklet_id] for a in self.assignments if a.split == split and a.role == role)

    def counts(self) -> dict[str, int]:
        """Return the counts named in ``COUNT_NAMES``; roles are counted in the first split."""
        groups: dict[Subset, list[Tracklet]] = {"train": [], "test": []}
        for tracklet_id, tracklet in self.records.items():
            groups[self.subsets[tracklet_id]].append(tracklet)
        out: list[int] = []
        for group in groups.values():
            out += [len({t.pid for t in group}), len(group), sum(len(t.frames) for t in group)]
        gallery = self.tracklets("gallery", self.splits[0])
        out += [len(self.tracklets("query", self.splits[0])), len(gallery)]
        out += [sum(t.pid == pid for t in gallery) for pid in (JUNK, DISTRACTOR)]
        out += [len({t.pid for t in self.tracklets(role, self.splits[0])}) for role in ("query", "gallery")]
        out += [len({t.pid for t in self.records.values()}), len(self.records), sum(len(t.frames) for t in self.records.values())]
        return dict(zip(COUNT_NAMES, out, strict=True))


def write_index(index: Index, folder: Path) -> None:
    """Write tracklets.parquet, then splits.parquet; the second one's presence means a complete index."""
    records = list(index.records.values())
    name = [index.dataset] * len(records)
    columns: dict[str, Sequence[Any]] = {
        "dataset": name,
        "tracklet_id": [t.tracklet_id for t in records],
        "pid": [t.pid for t in records],
        "camid": [t.camid for t in records],
        "subset": [index.subsets[t.tracklet_id] for t in records],
        "frames": [t.frames for t in records],
        "n_frames": [len(t.frames) for t in records],
        "width": [t.width for t in records],
        "height": [t.height for t in records],
    }
    roles: dict[str, Sequence[Any]] = {
        "dataset": [index.dataset] * len(index.assignments),
        "split": [a.split for a in index.assignments],
        "tracklet_id": [a.tracklet_id for a in index.assignments],
        "role": [a.role for a in index.assignments],
    }
    (folder / "splits.parquet").unlink(missing_ok=True)
    for file, values, schema in (("tracklets.parquet", columns, _TRACKLETS), ("splits.parquet", roles, _SPLITS)):
        with atomic_path(folder / file) as temporary:
            pq.write_table(pa.table(values, schema=schema), temporary, compression="zstd")


def load_index(folder: Path | str) -> Index:
    """Read an index.

    Args:
        folder: as written by `write_index`, ``results/index/<dataset>``.

    Raises:
        InputError: if a file is missing, is no Parquet file or lacks a column; says how to make the index.
    """
    folder = Path(folder)
    rows, roles = _read(folder / "tracklets.parquet", _TRACKLETS), _read(folder / "splits.parquet", _SPLITS)
    records = {
        row["tracklet_id"]: Tracklet(
            tracklet_id=row["tracklet_id"],
            pid=row["pid"],
            camid=row["camid"],
            frames=tuple(row["frames"]),
            width=row["width"],
            height=row["height"],
        )
        for row in rows
    }
    assignments = tuple(Assignment(split=row["split"], tracklet_id=row["tracklet_id"], role=row["role"]) for row in roles)
    lost = sorted({a.tracklet_id for a in assignments} - records.keys())
    if lost or not rows:
        found = f"{len(lost)} unknown, the first: {lost[0]}" if lost else "no tracklet at all"
        raise InputError(
            "the two files of the index do not fit",
            where=folder,
            expected="every tracklet of splits.parquet in tracklets.parquet",
            got=found,
            fix="Delete the folder and run: reproid data index",
        )
    return Index(
        dataset=rows[0]["dataset"],
        subsets={row["tracklet_id"]: row["subset"] for row in rows},
        records=records,
        assignments=assignments,
    )


def _read(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:  # read_table imports pandas: a quarter of a second in every process
            table = file.read()
    except FileNotFoundError as error:
        raise InputError("file not found", where=path, fix="Make the index with: reproid data index") from error
    except (pa.ArrowException, OSError) as error:
        raise InputError("not a Parquet file", where=path, fix="Delete it and run: reproid data index") from error
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise InputError(
            "columns are missing",
            where=path,
            expected=", ".join(schema.names),
            got=", ".join(table.column_names),
            fix="Delete the folder and run: reproid data index",
        )
    rows: list[dict[str, Any]] = table.select(schema.names).to_pylist()
    return rows
