"""Images in tar files with an index: read at random, by any number of processes.

A folder ``shards`` holds the images of the folder that it lies in, whole paths below it as members' names:

    data/packed/mars/shards/00000.tar, 00001.tar, ...    any tar program reads them
    data/packed/mars/shards/index.arrow                  written last: its presence means complete

The index is an Arrow IPC file, memory-mapped: name, shard, offset and size of the content in bytes, its CRC-32; rows in the order
of names. Its metadata hold name, size and SHA-256 of each shard. A frame keeps the name it has as a file, so that an index of
tracklets does not tell packed from loose; where a message names a member, it says ``shard:member``.
"""

import json
import mmap
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from reproid.errors import InputError
from reproid.files import atomic_path

FOLDER, INDEX = "shards", "index.arrow"
SCHEMA = pa.schema(
    [("name", pa.large_string()), ("shard", pa.uint32()), ("offset", pa.int64()), ("size", pa.int64()), ("crc32", pa.uint32())]
)
BLOCK = 512
"""Of a tar file, bytes."""
REVISION = 1
MAPPED = 128
"""Shards that a process keeps mapped."""
FOLDERS = 65536
"""Folders that a process knows the rows of."""
_META, _FIX = b"reproid.shards", "Delete the folder shards and make it again: pack the data, or index the videos"
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


class Shards:
    """The images of one folder of shards. Opening checks the whole index, reading the bytes that are read.

    Nothing is written, and no file position is shared: safe in threads, and in processes however they are started.
    """

    def __init__(self, folder: Path) -> None:
        """Map the index.

        Raises:
            InputError: if it is damaged, or a shard is missing or of another size.
        """
        self.folder = folder
        self._table, self.shards = _read_index(folder / INDEX)
        column = self._table.column(0)
        self._rows = range(len(column))
        buffers = column.buffers()
        self._starts = memoryview(buffers[1]).cast("q") if len(column) else memoryview(b"")
        self._text = memoryview(buffers[2] or b"")
        self._numbers = _numbers(self._table)
        self._map = lru_cache(maxsize=MAPPED)(self._open)
        self._range = lru_cache(maxsize=FOLDERS)(self._find_folder)  # halves the time of looking a name up among a million
        for shard in self.shards:
            _check_size(folder / shard.name, shard)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, name: str) -> int | None:
        """Return the row of a member, None if there is none of that name."""
        key = name.encode(errors="replace")
        first, end = self._range(name.rpartition("/")[0])
        row = bisect_left(self._rows, key, first, end, key=self._name)
        return row if row < end and self._name(row) == key else None

    def name(self, row: int) -> str:
        """Return a member's name."""
        return self._name(row).decode()

    def place(self, row: int) -> str:
        """Return where a member is, as messages say it: ``shard:member``."""
        return f"{self.folder / self.shards[self._numbers[0][row]].name}:{self.name(row)}"

    def member(self, row: int) -> Member:
        """Return all that the index says of a member."""
        shard, offset, size, crc32 = (int(column[row]) for column in self._numbers)
        return Member(self.name(row), shard, offset, size, crc32)

    def members(self, shard: int) -> Iterator[Member]:
        """Yield the members of one shard."""
        yield from (self.member(row) for row in np.flatnonzero(self._numbers[0] == shard).tolist())

    def read(self, row: int) -> bytes:
        """Return a member's content.

        Raises:
            InputError: if the bytes are not those that the index was made for; names the shard and the member.
        """
        shard, offset, size, crc32 = (int(column[row]) for column in self._numbers)
        content = self._map(shard)[offset : offset + size]
        if zlib.crc32(content) != crc32:
            raise InputError("the image differs from what was packed", where=self.place(row), expected=f"CRC-32 {crc32:08x}",
                             got=f"{zlib.crc32(content):08x}", fix=_FIX)  # fmt: skip
        return content

    def listing(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Yield the names in a folder, sorted as paths are, and whether each is a folder. ``""``: the folder of all."""
        prefix = f"{folder}/".encode() if folder else b""
        row = self._bisect(prefix)
        while row < len(self) and (name := self._name(row)).startswith(prefix):
            first, slash, _ = name[len(prefix) :].partition(b"/")
            yield first.decode(), bool(slash)
            row = self._bisect(prefix + first + b"0") if slash else row + 1

    def _find_folder(self, folder: str) -> tuple[int, int]:
        """Return the first row of a folder and the row behind its last."""
        if not folder:
            return 0, len(self)
        prefix = folder.encode(errors="replace")
        return self._bisect(prefix + b"/"), self._bisect(prefix + b"0")  # 0 follows / in the order of bytes

    def _name(self, row: int) -> bytes:
        return bytes(self._text[self._starts[row] : self._starts[row + 1]])

    def _bisect(self, key: bytes) -> int:
        return bisect_left(self._rows, key, key=self._name)

    def _open(self, shard: int) -> mmap.mmap:
        path = self.folder / self.shards[shard].name
        _check_size(path, self.shards[shard])  # before mapping: a read behind the end of a file would kill the process
        try:
            with path.open("rb") as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _unreadable(path, error) from error


def open_shards(folder: Path) -> Shards | None:
    """Return the shards that hold the images of ``folder``, None if it has none. They are opened once per process.

    Raises:
        InputError: as `Shards` does.
    """
    try:
        found = (folder / FOLDER / INDEX).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _shards(folder / FOLDER, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=64)
def _shards(folder: Path, _identity: tuple[int, ...]) -> Shards:
    return Shards(folder)


def _read_index(path: Path) -> tuple[pa.RecordBatch, tuple[Shard, ...]]:
    try:
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
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
        raise InputError(f"not an index of shards ({reason})", where=path, fix=_FIX) from error
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
    shard, offset, size, _ = _numbers(batch)
    if shard.max() >= len(shards):
        raise ValueError(f"a member in shard {shard.max()} of {len(shards)}")
    ends = np.array([one.size for one in shards], np.int64)[shard]
    if (offset < BLOCK).any() or (size < 0).any() or (size > ends - offset).any():
        raise ValueError("a member lies outside its shard")


def _numbers(batch: pa.RecordBatch) -> list[NDArray[Any]]:
    """Return shard, offset, size and crc32 as views of the file: Arrow's own conversion would import pandas."""
    types = [np.uint32, np.int64, np.int64, np.uint32]
    return [np.frombuffer(batch.column(k).buffers()[1] or b"", types[k - 1])[: len(batch)] for k in range(1, len(SCHEMA))]


def _check_size(path: Path, shard: Shard) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    if size != shard.size:
        raise InputError(
            "the shard has another size than its index says",
            where=path,
            expected=f"{shard.size:,} bytes",
            got=f"{size:,}",
            fix=_FIX,
        )


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"the shard cannot be read ({error.strerror})", where=path, fix=_FIX)
