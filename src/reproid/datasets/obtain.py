"""From an authors' server, or from archives that a user got from them, to a data set's folder."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reproid.catalog.datasets import Archive
from reproid.datasets.download import Patience, Start, download, file_sha256
from reproid.datasets.unpack import Limits, unpack
from reproid.errors import InputError
from reproid.files import write_text

SUMS = "SHA256SUMS"
"""Beside the archives, as sha256sum writes it: what they were when they were first unpacked."""


@dataclass(frozen=True, kw_only=True)
class Obtained:
    """One archive that was unpacked."""

    archive: Path
    sha256: str
    known: bool
    """Whether the SHA-256 was known before, and verified."""
    files: int
    fresh: int
    """Files that were not there before."""


def obtain(
    archives: Sequence[Archive | Path],
    *,
    store: Path,
    folder: Path,
    patience: Patience | None = None,
    limits: Limits | None = None,
    start: Callable[[str], Start] = lambda _: lambda _: lambda _: None,
) -> tuple[Obtained, ...]:
    """Fetch archives, verify and unpack them. The same call continues an interrupted one.

    A SHA-256 that is not declared is recorded when the archive has been unpacked whole, and verified from then on.

    Args:
        archives: addresses, or files that are there.
        store: folder for what is fetched, and for the record.
        folder: the data set's.
        patience: how long to bear with a server.
        limits: what an archive may become.
        start: given the file's name, makes a progress bar of its bytes.

    Raises:
        InputError: if an archive cannot be had, is another one than declared or recorded, or is refused.
    """
    return tuple(_obtain(archive, store, folder, patience, limits, start) for archive in archives)


def _obtain(
    wanted: Archive | Path,
    store: Path,
    folder: Path,
    patience: Patience | None,
    limits: Limits | None,
    start: Callable[[str], Start],
) -> Obtained:
    name = wanted.name if isinstance(wanted, Path) else wanted.file
    recorded = read_sums(store).get(name)
    if isinstance(wanted, Path):
        path, expected = wanted, recorded
        if not path.is_file():
            raise InputError("archive not found", where=path, fix="Check --archive")
        found = file_sha256(path)
        if expected is not None and found != expected:
            raise InputError("another file than at first", where=path, expected=f"SHA-256 {expected}", got=found,
                             fix=f"If this one is right, delete its line in {store / SUMS}")  # fmt: skip
    else:
        path, expected = store / name, wanted.sha256 or recorded
        found = download(wanted.url, path, sha256=expected, patience=patience, start=start(name))
    try:
        done = unpack(path, folder, limits=limits)
    except InputError:
        if expected is None and not isinstance(wanted, Path):
            path.replace(path.with_name(f"{name}.refused"))  # it may be half of one: the next call fetches it anew
        raise
    if recorded is None:
        record_sum(store, name, found)
    return Obtained(archive=path, sha256=found, known=expected is not None, files=done.files, fresh=done.fresh)


def read_sums(store: Path) -> dict[str, str]:
    """Return the recorded SHA-256 by file name.

    Raises:
        InputError: if a line is none of sha256sum's.
    """
    path = store / SUMS
    if not path.exists():
        return {}
    sums: dict[str, str] = {}
    for n, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if match is None:
            raise InputError(
                "not a line of sha256sum",
                where=f"{path}, line {n}",
                expected="64 digits, two spaces, a name",
                got=repr(line[:80]),
            )
        sums[match[2]] = match[1]
    return sums


def record_sum(store: Path, name: str, sha256: str) -> None:
    """Add a line to the record."""
    sums = {**read_sums(store), name: sha256}
    write_text(store / SUMS, "".join(f"{value}  {key}\n" for key, value in sorted(sums.items())))
