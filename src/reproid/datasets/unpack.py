"""Archives of data sets: tar (also compressed) and zip with the standard library, others, such as rar, through ``bsdtar``.

An archive comes from the network and is not trusted. What leads out of the folder, links, devices, a second file of one name and
what is far larger than the archive are refused; a file that is there already is compared and never overwritten. So the same call
continues an interrupted one.
"""

import os
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from reproid.datasets.shard_index import bad_name
from reproid.errors import InputError

CHUNK = 1 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
_MAC = ("__MACOSX", ".DS_Store")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may become."""

    ratio: float = 20.0
    """Bytes unpacked per byte of the archive; images hardly compress."""
    free_bytes: int = 1 << 26
    """Unpacked bytes that are always allowed."""
    files: int = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in an archive, open for reading."""

    name: str
    size: int
    """Bytes, as the archive says."""
    file: IO[bytes]


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What was done."""

    files: int
    fresh: int
    """Files that were not there before."""


@dataclass(kw_only=True)
class _Target:
    """A folder that is written to, and what it has received so far."""

    archive: Path
    root: Path
    limits: Limits
    seen: set[str] = field(default_factory=set)
    safe: set[Path] = field(default_factory=set)
    """Folders that were found to lie below the root, links followed."""
    n_bytes: int = 0
    fresh: int = 0

    def add(self, member: Member) -> None:
        """Write a file, or compare it with the one that is there."""
        if member.name in self.seen:
            raise self.error("two files of one name", got=member.name)
        self.seen.add(member.name)
        self._grow(member.size)
        if len(self.seen) > self.limits.files:
            raise self.error("too many files", expected=f"at most {self.limits.files:,}")
        path = self.root / member.name
        self._make_folder(path.parent)
        if os.path.lexists(path):
            if path.is_symlink() or not path.is_file() or not _equal(path, member):
                raise InputError("a file would be overwritten", where=path, expected="none, or the very same", got="another one",
                                 fix=f"Move it away, then unpack {self.archive.name} again")  # fmt: skip
            return
        partial = path.with_name(f".{path.name}.partial")
        written = 0
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666), "wb") as file:
            while block := member.file.read(CHUNK):
                written += len(block)
                if written > member.size:
                    raise self.error("a file is longer than the archive says", expected=f"{member.size:,} bytes", got=member.name)
                file.write(block)
        if written != member.size:
            raise self.error("a file is cut off", expected=f"{member.size:,} bytes", got=f"{written:,} of {member.name}")
        partial.replace(path)
        self.fresh += 1

    def _grow(self, size: int) -> None:
        self.n_bytes += size
        allowed = max(self.limits.free_bytes, int(self.limits.ratio * self.archive.stat().st_size))
        if size < 0 or self.n_bytes > allowed:
            raise self.error("the archive is a bomb", expected=f"at most {allowed:,} bytes", got=f"{self.n_bytes:,} or more")
        if size > shutil.disk_usage(self.root).free:
            raise self.error("the disk is too full", expected=f"{size:,} bytes")

    def _make_folder(self, folder: Path) -> None:
        if folder in self.safe:
            return
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise self.error("a link in the folder leads out of it", got=folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise self.error("a file stands where a folder must be", got=folder) from error
        self.safe.add(folder)

    def error(self, what: str, *, expected: str | None = None, got: object = None) -> InputError:
        return InputError(what, where=self.archive, expected=expected, got=got, fix="Fetch it from its authors again")


def unpack(archive: Path, root: Path, *, limits: Limits | None = None) -> Unpacked:
    """Unpack an archive into a folder; files that are there already must be the same.

    Args:
        archive: tar, compressed or not, zip, or what bsdtar reads (rar, 7z).
        root: folder to write to; created.
        limits: what the archive may become.

    Raises:
        InputError: if the archive is broken or cut off, or holds what is refused; names the member. What was written remains.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = _Target(archive=archive, root=root, limits=limits or Limits())
    try:
        for member in _members(archive):
            target.add(member)
    except InputError:
        raise
    except _BROKEN as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise target.error(f"cannot be unpacked ({error.strerror})", got=error.filename) from error
        reason = " ".join(str(error).split())[:120]
        raise target.error(f"the archive is broken or cut off ({reason})") from error
    if not target.seen:
        raise target.error("no file in the archive")
    return Unpacked(files=len(target.seen), fresh=target.fresh)


def _members(archive: Path) -> Iterator[Member]:
    if not archive.is_file():
        raise InputError("archive not found", where=archive)
    with archive.open("rb") as file:
        start = file.read(4)
    if start in (b"PK\x03\x04", b"PK\x05\x06"):
        yield from _of_zip(archive)
    elif tarfile.is_tarfile(archive):
        yield from _of_tar(archive)
    else:
        with _bsdtar(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            yield from _of_open_tar(tar, archive)


def _of_zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as content:
        for info in content.infolist():
            kind = (info.external_attr >> 16) & 0o170000
            if info.is_dir() or _is_left_out(info.filename):
                continue
            if info.flag_bits & 1:
                raise InputError("the archive asks for a password", where=archive, got=info.filename, fix="Unpack it yourself")
            _check(info.filename, archive, plain=kind in (0, 0o100000))
            with content.open(info) as file:
                yield Member(name=info.filename, size=info.file_size, file=file)


def _of_tar(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:*") as tar:
        yield from _of_open_tar(tar, archive)
        assert tar.fileobj is not None
        tar.fileobj.seek(tar.offset)
        if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile takes a cut between two files for the end
            raise tarfile.ReadError("no end of the archive")


def _of_open_tar(tar: tarfile.TarFile, archive: Path) -> Iterator[Member]:
    for info in tar:
        name = info.name.removeprefix("./")
        if info.isdir() or _is_left_out(name):
            continue
        _check(name, archive, plain=info.isreg())
        file = tar.extractfile(info)
        assert file is not None
        with file:
            yield Member(name=name, size=info.size, file=file)
        tar.members.clear()  # type: ignore[attr-defined]  # a million of them would stay in memory


@contextmanager
def _bsdtar(archive: Path) -> Iterator[IO[bytes]]:
    """Yield the content of an archive as a tar file, made on the way: bsdtar itself writes nothing to the disk."""
    program = shutil.which("bsdtar")
    if program is None:
        raise InputError("neither tar nor zip, and there is no program to read it", where=archive, expected="bsdtar",
                         fix="Install it: apt-get install libarchive-tools, or libarchive from conda-forge")  # fmt: skip
    command = [program, "-cf", "-", "--format", "pax", f"@{archive.resolve()}"]
    with (
        TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout
            while process.stdout.read(CHUNK):  # the padding behind the end
                pass
        except tarfile.TarError:
            if process.wait() == 0:
                raise
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            said.seek(0)
            reason = " ".join(said.read().decode(errors="replace").split())[:160]
            raise InputError(f"bsdtar cannot read the archive ({reason})", where=archive, fix="Fetch it from its authors again")


def _check(name: str, archive: Path, *, plain: bool) -> None:
    fix = "Fetch it from its authors again"
    if not plain:
        raise InputError(
            "the archive holds a link or a device", where=archive, expected="files and folders", got=ascii(name), fix=fix
        )
    if bad_name(name) or "\\" in name or ":" in name.partition("/")[0]:
        raise InputError(
            "a name leads out of the folder", where=archive, expected="a plain path below it", got=ascii(name), fix=fix
        )


def _is_left_out(name: str) -> bool:
    """Tell whether a Mac added this: it would stand between the images."""
    parts = name.split("/")
    return parts[0] == _MAC[0] or parts[-1] == _MAC[1] or parts[-1].startswith("._")


def _equal(path: Path, member: Member) -> bool:
    if path.stat().st_size != member.size:
        return False
    with path.open("rb") as file:
        while block := member.file.read(CHUNK):
            if file.read(len(block)) != block:
                return False
        return not file.read(1)
