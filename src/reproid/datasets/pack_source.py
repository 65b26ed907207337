"""What is in a data set's folder, before it is packed: images, other files, and what must not be followed."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reproid.datasets.folder_images import SUFFIXES
from reproid.datasets.shard_index import INDEX, is_text
from reproid.datasets.shards import FOLDER
from reproid.errors import InputError

ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A file that goes to a shard."""

    name: str
    """Path below the data set's folder."""
    size: int
    """Bytes."""
    mtime_ns: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set's folder."""

    root: Path
    images: tuple[Image, ...]
    """Sorted by name."""
    others: tuple[str, ...]
    """Files to copy, sorted; those of shards of crops too."""
    left_out: tuple[str, ...]
    """Archives, sorted."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of names, sizes and times: an interrupted call is continued where it has not changed."""
        lines = (f"{image.name}\0{image.size}\0{image.mtime_ns}\n" for image in self.images)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def list_source(root: Path) -> Source:
    """List a data set's folder; hidden files are passed over.

    Raises:
        InputError: if there is none, it is packed already or has no image, a link leads out of it, or a name cannot be packed.
    """
    if not root.is_dir():
        raise InputError("data folder not found", where=root, fix="Check --root")
    if (root / FOLDER / INDEX).exists():
        raise InputError("the data set is packed already", where=root, got=f"{FOLDER}/{INDEX}")
    images: list[Image] = []
    others: list[str] = []
    left_out: list[str] = []
    for entry, in_shards in _walk(str(root), root.resolve(), in_shards=False):
        name = os.path.relpath(entry.path, root)
        _check_name(name, root)
        if in_shards:
            others.append(name)
        elif name.lower().endswith(SUFFIXES):
            found = entry.stat()
            images.append(Image(name=name, size=found.st_size, mtime_ns=found.st_mtime_ns))
        else:
            (left_out if name.lower().endswith(ARCHIVES) else others).append(name)
    if not images:
        got = f"{len(others)} other files" + (", and crops in shards" if any(f"/{FOLDER}/" in name for name in others) else "")
        raise InputError("no image to pack", where=root, expected=f"files in {', '.join(SUFFIXES)}", got=got)
    images.sort(key=lambda image: image.name)
    return Source(root=root, images=tuple(images), others=tuple(sorted(others)), left_out=tuple(sorted(left_out)))


def _walk(folder: str, base: Path, *, in_shards: bool) -> Iterator[tuple["os.DirEntry[str]", bool]]:
    """Yield the files below a folder, and whether each belongs to shards."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                _check_link(Path(entry.path), base)
            if entry.is_dir():
                yield from _walk(entry.path, base, in_shards=entry.name == FOLDER and (Path(entry.path) / INDEX).exists())
            elif entry.is_file():
                yield entry, in_shards


def _check_link(path: Path, base: Path) -> None:
    target = path.resolve()
    if target.is_dir() or not target.is_relative_to(base):
        kind = "a link to a folder" if target.is_dir() else "a link out of the folder"
        raise InputError(f"{kind} is not followed", where=path, got=target, fix="Put what it names in its place")


def _check_name(name: str, root: Path) -> None:
    if not is_text(name) or "\n" in name or "\\" in name:
        raise InputError("the name cannot be packed", where=root, expected="UTF-8 without line ends and backslashes",
                         got=ascii(name))  # fmt: skip
