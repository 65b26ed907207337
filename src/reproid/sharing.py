"""What must not be published, and where it may go: DVC's tracked files against data sets whose terms forbid sharing.

A remote is private when .dvc/private-remotes says so, one line ``name address``: with another address, the same name is another
remote.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from reproid.catalog.datasets import RealDataSet, SyntheticDataSet
from reproid.errors import InputError
from reproid.tracked import TrackedFile

PRIVATE = ".dvc/private-remotes"
FRAMES = "reports/assets/frames-of.txt"
"""Written by `reproid report`: the data sets whose frames stand in its pages."""


def restricted_names(datasets: Mapping[str, RealDataSet | SyntheticDataSet]) -> frozenset[str]:
    """Return the data sets that must not be published."""
    return frozenset(name for name, dataset in datasets.items() if isinstance(dataset, RealDataSet) and dataset.restricted)


def check_push(root: Path, files: Iterable[TrackedFile], remote: tuple[str, str], restricted: Iterable[str]) -> None:
    """Refuse to push what is made of restricted data to a remote that is not marked private.

    Args:
        root: the project's folder.
        files: what would be pushed.
        remote: the remote's name and address.
        restricted: names of data sets.

    Raises:
        InputError: names the data sets and the first of the files.
    """
    name, address = remote
    if remote in private_remotes(root):
        return
    found = find_restricted(files, restricted)
    if found:
        n = sum(len(paths) for paths in found.values())
        raise InputError(
            f"files of restricted data sets ({', '.join(sorted(found))}) are not pushed to a remote that is not marked private",
            where=f"remote '{name}'",
            expected=f"the line '{name} {address}' in {PRIVATE}",
            got=f"{n} tracked files, the first: {next(iter(found.values()))[0]}",
            fix="Mark the remote only if nobody can read it whom the data sets' terms exclude",
        )


def private_remotes(root: Path) -> frozenset[tuple[str, str]]:
    """Return (name, address) of the remotes marked private.

    Raises:
        InputError: if a line of the file is none.
    """
    path, found = root / PRIVATE, set[tuple[str, str]]()
    if not path.exists():
        return frozenset()
    for n, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        words = shlex.split(line, comments=True)
        if len(words) not in (0, 2):
            raise InputError("not a remote", where=f"{path}, line {n}", expected="name address", got=line[:80])
        if words:
            found.add((words[0], words[1]))
    return frozenset(found)


def find_restricted(files: Iterable[TrackedFile], restricted: Iterable[str]) -> dict[str, list[str]]:
    """Return tracked files that are made of restricted data, by data set: a part of the path bears its name, or pages show it."""
    names, found = frozenset(restricted), dict[str, list[str]]()
    for file in files:
        if file.path == FRAMES:
            for name in names.intersection(file.cached.read_text(encoding="utf-8").split()):
                found.setdefault(name, []).append(file.path)
        parts = PurePosixPath(file.path).parts if not file.path.startswith("reports/") else ()
        for name in names.intersection(part.partition(".")[0] for part in parts):
            found.setdefault(name, []).append(file.path)
    return found
