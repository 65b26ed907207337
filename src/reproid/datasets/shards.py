"""Images in tar files with an index: read at random, by any number of processes.

A folder ``shards`` holds the images of the folder that it lies in, whole paths below it as members' names:

    data/packed/mars/shards/00000.tar, 00001.tar, ...    any tar program reads them
    data/packed/mars/shards/index.arrow                  written last: its presence means complete

A frame keeps the name it has as a file, so that an index of tracklets does not tell packed from loose; where a message names a
member, it says ``shard:member``.
"""

import mmap
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from reproid.datasets.shard_index import FIX, INDEX, Member, Shard, numbers, read_index
from reproid.errors import InputError

FOLDER = "shards"
MAPPED = 128
"""Shards that a process keeps mapped."""
FOLDERS = 65536
"""Folders that a process knows the rows of."""


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
        self._table, self.shards = read_index(folder / INDEX)
        column = self._table.column(0)
        self._rows = range(len(column))
        buffers = column.buffers()
        self._starts = memoryview(buffers[1]).cast("q") if len(column) else memoryview(b"")
        self._text = memoryview(buffers[2] or b"")
        self._numbers = numbers(self._table)
        self._map = lru_cache(maxsize=MAPPED)(self._open)
        self._range = lru_cache(maxsize=FOLDERS)(self._find_folder)  # halves the time of looking a name up among a million
        for shard in self.shards:
            _check_size(folder / shard.name, shard)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, name: str) -> int | None:
        """Return the row of a member, None if there is none of that name."""
        key = name.encode(errors="surrogatepass")
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

    def expect(self, row: int) -> None:
        """Have the system fetch a member's bytes: cold ones, without it, are waited for one by one, and for their neighbours."""
        shard, offset, size = (int(column[row]) for column in self._numbers[:3])
        first = offset // mmap.PAGESIZE * mmap.PAGESIZE
        self._map(shard).madvise(mmap.MADV_WILLNEED, first, offset + size - first)

    def read(self, row: int) -> bytes:
        """Return a member's content.

        Raises:
            InputError: if the bytes are not those that the index was made for; names the shard and the member.
        """
        shard, offset, size, crc32 = (int(column[row]) for column in self._numbers)
        content = self._map(shard)[offset : offset + size]
        if zlib.crc32(content) != crc32:
            raise InputError("the image differs from what was packed", where=self.place(row), expected=f"CRC-32 {crc32:08x}",
                             got=f"{zlib.crc32(content):08x}", fix=FIX)  # fmt: skip
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
        prefix = folder.encode(errors="surrogatepass")
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
            fix=FIX,
        )


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"the shard cannot be read ({error.strerror})", where=path, fix=FIX)
