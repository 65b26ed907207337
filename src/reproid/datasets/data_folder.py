"""The one way to a frame's bytes, whether it is a file or lies in a shard."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reproid.datasets.shard_index import bad_name
from reproid.datasets.shards import FOLDER, Shards, open_shards
from reproid.errors import InputError

_FIX = "Restore the file from its archive"


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder; ``""`` is the data set's own."""
    return f"{folder}/{name}" if folder else name


@dataclass(frozen=True)
class DataFolder:
    """The images of a data set, by their paths below its folder.

    A folder ``shards`` with an index, in the folder itself or in any below, stands in for images beside it; the rest are files.
    Safe in threads and in processes, forked or spawned: it travels as its path.
    """

    root: Path
    _above: dict[str, tuple[tuple[int, Shards], ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Shards in a folder and in those above it, with the length of what their members' names lack: looked for once."""

    def __reduce__(self) -> tuple[type["DataFolder"], tuple[Path]]:
        return DataFolder, (self.root,)

    def read(self, name: str) -> bytes:
        """Return the content of an image.

        Raises:
            InputError: if it is missing, cannot be read, lies outside the folder, or differs from what was packed.
        """
        (content,) = self.read_all([name])
        return content

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """Return the contents of images, as `read` does; those in shards are fetched at the same time."""
        found = [self._find(name) for name in names]
        for packed in found:
            if packed is not None:
                packed[0].expect(packed[1])
        return [
            self._read_file(name) if packed is None else packed[0].read(packed[1])
            for name, packed in zip(names, found, strict=True)
        ]

    def _read_file(self, name: str) -> bytes:
        path = self.root / name
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise InputError("image not found", where=path, fix=_FIX) from error
        except OSError as error:
            raise InputError("image cannot be read", where=path, got=error.strerror, fix=_FIX) from error

    def place(self, name: str) -> str:
        """Return where an image is, as messages say it: a file's path, or ``shard:member``."""
        packed = self._find(name)
        return str(self.root / name) if packed is None else packed[0].place(packed[1])

    def check_inside(self, name: str) -> None:
        """Refuse a name, or a link, that leads out of the folder.

        Raises:
            InputError: names it.
        """
        if bad_name(name) or not (self.root / name).resolve().is_relative_to(self.root.resolve()):
            raise InputError("the image lies outside the folder", where=self.root, expected=f"a file below {self.root}", got=name)

    def files(self, folder: str = "") -> list[str]:
        """Return the names of the files in a folder, packed or not, sorted; none where there is no such folder."""
        return sorted({name for name, is_folder in self._listing(folder) if not is_folder})

    def folders(self, folder: str = "") -> list[str]:
        """Return the names of the folders in a folder, packed or not, sorted; without those of shards."""
        return sorted({name for name, is_folder in self._listing(folder) if is_folder})

    def is_folder(self, name: str) -> bool:
        """Tell whether there is a folder of that name, on disk or in shards."""
        return (self.root / name).is_dir() or next(self._packed(name), None) is not None

    def exists(self, name: str) -> bool:
        """Tell whether there is a file or a folder of that name."""
        return self._find(name) is not None or (self.root / name).exists() or self.is_folder(name)

    def _find(self, name: str) -> tuple[Shards, int] | None:
        """Return the shards that hold an image, and its row there."""
        for skipped, shards in self._shards(name):
            if (row := shards.find(name[skipped:])) is not None:
                return shards, row
        return None

    def _listing(self, folder: str) -> Iterator[tuple[str, bool]]:
        path = self.root / folder
        if path.is_dir():
            packed = open_shards(path) is not None
            with os.scandir(path) as entries:
                yield from ((entry.name, entry.is_dir()) for entry in entries if not (packed and entry.name == FOLDER))
        yield from self._packed(folder)

    def _packed(self, folder: str) -> Iterator[tuple[str, bool]]:
        for skipped, shards in self._shards(join(folder, "x")):  # of any name in that folder
            yield from shards.listing(folder[skipped:])

    def _shards(self, name: str) -> tuple[tuple[int, Shards], ...]:
        folder, _, last = name.rpartition("/")
        if (found := self._above.get(folder)) is None:
            if folder and bad_name(folder):
                raise self._outside(name)
            found = self._above[folder] = tuple(self._look(folder))
        if last in ("", ".", ".."):
            raise self._outside(name)
        return found

    def _look(self, folder: str) -> Iterator[tuple[int, Shards]]:
        parts = folder.split("/") if folder else []
        for depth in range(len(parts) + 1):
            above = "/".join(parts[:depth])
            if (shards := open_shards(self.root / above)) is not None:
                yield (len(above) + 1 if above else 0), shards

    def _outside(self, name: str) -> InputError:
        return InputError("the image lies outside the folder", where=self.root, expected="a path below it", got=name)
