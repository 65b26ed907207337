"""Digests that tie a run to its data and its code."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import reproid
from reproid.errors import InputError

_TRACKLETS = ("tracklet_id", "pid", "camid", "subset", "frames", "width", "height")
_SPLITS = ("split", "tracklet_id", "role")
_SHARED = ("clips", "training", "inference", "models")


def data_sha256(index: Path) -> str:
    """Return the SHA-256 of an index's content, whatever wrote its Parquet files.

    It covers the columns tracklet_id, pid, camid, subset, frames, width and height of tracklets.parquet and split, tracklet_id
    and role of splits.parquet, row by row in their order, as JSON; not the pixels.
    """
    sha = hashlib.sha256()
    for name, columns in (("tracklets.parquet", _TRACKLETS), ("splits.parquet", _SPLITS)):
        path = index / name
        try:
            table = pq.read_table(path, columns=list(columns))
        except (OSError, pa.ArrowException) as error:
            raise InputError("index file cannot be read", where=path, fix="Make the index again") from error
        for batch in table.to_batches(max_chunksize=1024):
            for row in batch.to_pylist():
                sha.update(json.dumps([row[column] for column in columns]).encode() + b"\n")
    return sha.hexdigest()


def code_sha256(method: str) -> str:
    """Return the SHA-256 of the code that a run of ``method`` depends on.

    These are the rooms clips, training and inference, what the models share, the method's own folder, and seeds.py.
    """
    root = Path(reproid.__file__).parent
    files = [root / "seeds.py"]
    for room in _SHARED:
        files += (root / room).glob("*.py")
    files += [path for path in (root / "models" / method).rglob("*") if path.suffix in (".py", ".yaml")]
    sha = hashlib.sha256()
    for path in sorted(files):
        sha.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return sha.hexdigest()


def file_sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
