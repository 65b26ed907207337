"""What must not be published, and where it may go: DVC's tracked files against data sets whose terms forbid sharing.

DVC itself asks nobody before it pushes and has no hook for it, so `reproid push` stands before `dvc push`. A remote is private
when .dvc/private-remotes says so, one line ``name address``: with another address, the same name is another remote.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from reproid.catalog._yaml import read_yaml
from reproid.catalog.datasets import RealDataSet, SyntheticDataSet
from reproid.errors import InputError

PRIVATE = ".dvc/private-remotes"
FRAMES = "reports/assets/frames-of.txt"
"""Written by `reproid report`: the data sets whose frames stand in its pages."""


def restricted_names(datasets: Mapping[str, RealDataSet | SyntheticDataSet]) -> frozenset[str]:
    """Return the data sets that must not be published."""
    return frozenset(name for name, dataset in datasets.items() if isinstance(dataset, RealDataSet) and dataset.restricted)


def check_push(root: Path, remote: str, address: str, restricted: Iterable[str]) -> None:
    """Refuse to push what is made of restricted data to a remote that is not marked private.

    Args:
        root: the project's folder.
        remote: the remote's name.
        address: where it is.
        restricted: names of data sets.

    Raises:
        InputError: names the data sets and the first of the files.
    """
    if (remote, address) in private_remotes(root):
        return
    found = find_restricted(root, restricted)
    if found:
        n = sum(len(paths) for paths in found.values())
        raise InputError(
            f"files of restricted data sets ({', '.join(sorted(found))}) are not pushed to a remote that is not marked private",
            where=f"remote '{remote}'",
            expected=f"the line '{remote} {address}' in {PRIVATE}",
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


def find_restricted(root: Path, restricted: Iterable[str]) -> dict[str, list[str]]:
    """Return tracked files that are made of restricted data, by data set: a folder on the path bears its name, or pages show it.

    Files are those of dvc.lock and of *.dvc files; what a tracked folder holds is read from DVC's cache.
    """
    names, found = frozenset(restricted), dict[str, list[str]]()
    for path in tracked_files(root):
        if path == FRAMES:
            for name in (root / FRAMES).read_text(encoding="utf-8").split() if (root / FRAMES).exists() else sorted(names):
                if name in names:
                    found.setdefault(name, []).append(path)
        folders = PurePosixPath(path).parts if not path.startswith("reports/") else ()
        for name in names.intersection(folders):
            found.setdefault(name, []).append(path)
    return found


def tracked_files(root: Path) -> Iterator[str]:
    """Yield the paths that DVC would push, below the project's folder."""
    for file in [
        root / "dvc.lock",
        *sorted(root.glob("*.dvc")),
        *sorted(root.glob("results/*.dvc")),
        *sorted(root.glob("data/*.dvc")),
        *sorted(root.glob("data/*/*.dvc")),
    ]:
        if not file.is_file():
            continue
        content = read_yaml(file) or {}
        stages = content.get("stages", {}).values() if file.name == "dvc.lock" else [content]
        for entry in (entry for stage in stages for entry in stage.get("outs", [])):
            yield from _entries(root, file.parent, entry)


def _entries(root: Path, folder: Path, entry: Mapping[str, Any]) -> Iterator[str]:
    path = (folder / str(entry["path"])).relative_to(root).as_posix()
    yield path
    digest = str(entry.get("md5", ""))
    listing = root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    if digest.endswith(".dir") and listing.is_file():
        yield from (f"{path}/{member['relpath']}" for member in json.loads(listing.read_bytes()))
