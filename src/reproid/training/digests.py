"""Digests that tie a run to its data and its files; that of its code is in `reproid.code_hash`."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from reproid.errors import InputError

_TRACKLETS = ("tracklet_id", "pid", "camid", "subset", "frames", "width", "height")
_SPLITS = ("split", "tracklet_id", "role")


def data_sha256(index: Path) -> str:
    """Return the SHA-256 of an index's content, whatever wrote its Parquet files.

    It covers the columns tracklet_id, pid, camid, subset, frames, width and height of tracklets.parquet and split, tracklet_id
    and role of splits.parquet, row by row in their order, as JSON; not the pixels.
    """
    sha = hashlib.sha256()
    for name, columns in (("tracklets.parquet", _TRACKLETS), ("splits.parquet", _SPLITS)):
        path = index / name
        try:
            with pq.ParquetFile(path) as file:
                table = file.read(columns=list(columns))
        except (OSError, pa.ArrowException) as error:
            raise InputError("index file cannot be read", where=path, fix="Make the index again") from error
        for batch in table.to_batches(max_chunksize=1024):
            for row in batch.to_pylist():
                sha.update(json.dumps([row[column] for column in columns]).encode() + b"\n")
    return sha.hexdigest()


def file_sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
