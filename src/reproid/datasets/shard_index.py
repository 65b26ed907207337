"""The index of shards: where each image lies, as an Arrow IPC file that is memory-mapped and checked when it is opened.

Columns: name, shard, offset and size of the content in bytes, its CRC-32; rows in the order of names. Metadata: name, size and
SHA-256 of each shard.
"""

import json
import mmap
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from reproid.errors import InputError
from reproid.files import atomic_path

INDEX = "index.arrow"
FIX = "Delete the folder shards and make it again: pack the data, or index the videos"
SCHEMA = pa.schema(
    [("name", pa.large_string()), ("shard", pa.uint32()), ("offset", pa.int64()), ("size", pa.int64()), ("crc32", pa.uint32())]
)
BLOCK = 512
"""Of a tar file, bytes."""
REVISION = 1
_META = b"reproid.shards"
_BAD_NAME = r"^$|^/|/$|//|(^|/)\.\.?(/|$)|\x00"
_BAD = re.compile(_BAD_NAME.replace("$", r"\Z"))  # to Python, though not to Arrow, $ is before a last line end too


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A tar file."""

    name: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """An image in a shard."""

    name: str
    shard: int
    """Position among the shards."""
    offset: int
    """Of the content in the shard, bytes."""
    size: int
    """Of the content, bytes."""
    crc32: int
    """Of the content."""


def bad_name(name: str) -> bool:
    """Tell whether a name is no plain path below a folder: empty, absolute, with ``.``, ``..`` or NUL."""
    return _BAD.search(name) is not None


def is_text(name: str) -> bool:
    """Tell whether a name of the file system is UTF-8, as an index must hold it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_index(folder: Path, shards: Sequence[Shard], members: Sequence[Member]) -> None:
    """Write the index of the shards in ``folder``.

    Raises:
        InputError: if two members share a name, or the folder cannot be written to.
    """
    content = index_bytes(folder, shards, members)
    with atomic_path(folder / INDEX) as temporary:
        temporary.write_bytes(content)


def index_bytes(folder: Path, shards: Sequence[Shard], members: Sequence[Member]) -> bytes:
    """Return the index of the shards in ``folder``; equal input gives equal bytes.

    Raises:
        InputError: if two members share a name.
    """
    members = sorted(members, key=lambda member: member.name)
    twice = next((one.name for one, two in pairwise(members) if one.name == two.name), None)
    if twice is not None:
        raise InputError("two images share a name", where=folder, expected="each once", got=twice)
    columns = [[getattr(member, field) for member in members] for field in SCHEMA.names]
    about = json.dumps({"revision": REVISION, "shards": [asdict(shard) for shard in shards]}).encode()
    schema = SCHEMA.with_metadata({_META: about})
    batch = pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_index(path: Path) -> tuple[pa.RecordBatch, tuple[Shard, ...]]:
    """Map an index and check all of it.

    Returns:
        Rows as in ``SCHEMA``, sorted by name, each within its shard; and the shards.

    Raises:
        InputError: if there is none, or it is damaged; says why.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.madvise(mmap.MADV_WILLNEED)
        with pa.ipc.open_file(pa.py_buffer(mapped)) as reader:
            if reader.num_record_batches != 1 or not reader.schema.equals(SCHEMA):
                raise ValueError(f"columns {', '.join(reader.schema.names)} in {reader.num_record_batches} batches")
            batch = reader.get_batch(0)
            shards = _read_metadata((reader.schema.metadata or {}).get(_META, b"null"))
        batch.validate(full=True)
        _check_rows(batch, shards)
    except FileNotFoundError as error:
        raise InputError("no index of shards", where=path, expected="a packed folder, complete", fix="Pack the data") from error
    except (OSError, ValueError, KeyError, TypeError) as error:  # Arrow's errors are ValueErrors, OSErrors or KeyErrors
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"not an index of shards ({reason})", where=path, fix=FIX) from error
    return batch, shards


def _read_metadata(text: bytes) -> tuple[Shard, ...]:
    about = json.loads(text)
    if not isinstance(about, dict) or about.get("revision") != REVISION:
        raise ValueError(f"no metadata of revision {REVISION}")
    shards = tuple(Shard(**shard) for shard in about["shards"])
    for shard in shards:
        if not (isinstance(shard.name, str) and re.fullmatch(r"\d{5}\.tar", shard.name, re.ASCII)):
            raise ValueError("the name of a shard is none")
        if not (type(shard.size) is int and shard.size >= 0 and isinstance(shard.sha256, str)):
            raise ValueError(f"size or digest of {shard.name} is none")
    return shards


def _check_rows(batch: pa.RecordBatch, shards: Sequence[Shard]) -> None:
    if any(batch.column(k).null_count for k in range(len(SCHEMA))):
        raise ValueError("a value is missing")
    if not len(batch):
        return
    names = batch.column(0)
    if not pc.all(pc.less(names[:-1], names[1:]), min_count=0).as_py():
        raise ValueError("names are not in order")
    if pc.any(pc.match_substring_regex(names, _BAD_NAME)).as_py():
        raise ValueError("a name is no path below the folder")
    shard, offset, size, _ = numbers(batch)
    if shard.max() >= len(shards):
        raise ValueError(f"a member in shard {shard.max()} of {len(shards)}")
    ends = np.array([one.size for one in shards], np.int64)[shard]
    if (offset < BLOCK).any() or (size < 0).any() or (size > ends - offset).any():
        raise ValueError("a member lies outside its shard")


def numbers(batch: pa.RecordBatch) -> list[NDArray[Any]]:
    """Return shard, offset, size and crc32 as views of the file: Arrow's own conversion would import pandas."""
    types = [np.uint32, np.int64, np.int64, np.uint32]
    return [np.frombuffer(batch.column(k).buffers()[1] or b"", types[k - 1])[: len(batch)] for k in range(1, len(SCHEMA))]
