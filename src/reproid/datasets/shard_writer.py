"""Writing of tar shards: equal images in equal order give equal bytes, whoever packs them and when."""

import hashlib
import tarfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from reproid.datasets.shard_index import BLOCK, Member, Shard, bad_name, is_text, write_index
from reproid.errors import InputError
from reproid.files import atomic_path

SHARD_BYTES = 256 * 2**20
"""Content of a shard, about."""


class ShardFile:
    """One tar file, there only when its block ends well. Its members belong to nobody and have no date."""

    def __init__(self, folder: Path, position: int) -> None:
        self.path, self._position = folder / shard_name(position), position
        self.members: list[Member] = []
        self.size = 0
        """Bytes written so far."""
        self._sha, self._stack = hashlib.sha256(), ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        self._file = self._stack.enter_context(self._stack.enter_context(atomic_path(self.path)).open("wb"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._write(bytes(2 * BLOCK))
                self._write(bytes(-self.size % tarfile.RECORDSIZE))
        except OSError as late:
            self._stack.__exit__(type(late), late, late.__traceback__)
            raise
        self._stack.__exit__(kind, error, trace)

    def add(self, name: str, content: bytes) -> None:
        """Append an image.

        Args:
            name: its path below the folder that the shards stand in for.
            content: the file's bytes, as they are.

        Raises:
            InputError: if the name is no path below a folder, or no text.
        """
        if bad_name(name) or not is_text(name):
            raise InputError("the name cannot be packed", where=self.path.parent, expected="a plain path below the folder, UTF-8",
                             got=ascii(name))  # fmt: skip
        about = tarfile.TarInfo(name)
        about.size, about.mode = len(content), 0o644  # owner, group and time are 0
        self._write(about.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))
        self.members.append(Member(name, self._position, self.size, len(content), zlib.crc32(content)))
        self._write(content)
        self._write(bytes(-len(content) % BLOCK))

    def shard(self) -> Shard:
        """Return what the index says of the finished file."""
        return Shard(name=self.path.name, size=self.size, sha256=self._sha.hexdigest())

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha.update(data)
        self.size += len(data)


class ShardWriter:
    """Shards of a folder, one after the other, and their index when the block ends well."""

    def __init__(self, folder: Path, *, shard_bytes: int = SHARD_BYTES) -> None:
        self.folder, self._limit = folder, shard_bytes
        self._shards: list[Shard] = []
        self._members: list[Member] = []
        self._open: ShardFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._open is not None:
            self._open.__exit__(kind, error, trace)
            self._note(self._open)
        if kind is None:
            write_index(self.folder, self._shards, self._members)

    def add(self, name: str, content: bytes) -> None:
        """Append an image, as `ShardFile.add` does."""
        if self._open is not None and self._open.size >= self._limit:
            self._open.__exit__(None, None, None)
            self._note(self._open)
            self._open = None
        if self._open is None:
            self._open = ShardFile(self.folder, len(self._shards)).__enter__()
        self._open.add(name, content)

    def _note(self, file: ShardFile) -> None:
        self._shards.append(file.shard())
        self._members += file.members


def shard_name(position: int) -> str:
    """Return the file name of a shard."""
    return f"{position:05d}.tar"
