"""What DVC tracks, by its own account, and the sending of it: the one place that imports DVC.

Every output in dvc.yaml says ``push: false``, so plain `dvc push` and `dvc exp push` send none of them to any remote.
`Tracked.push` sends them, after `reproid.sharing.check_push` has looked at exactly the files that it sends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reproid.errors import InputError

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo


@dataclass(frozen=True, kw_only=True)
class TrackedFile:
    """A file or a folder as DVC keeps it, which need not be what lies in the workspace."""

    path: str
    """Below the project's folder."""
    cached: Path
    """Its content in DVC's cache; of a folder, the list of its files."""


class Tracked:
    """The outputs of dvc.yaml and of *.dvc files that would go to one remote."""

    def __init__(self, repo: "Repo", remote: str) -> None:
        self._repo, self._remote = repo, remote

    def files(self) -> Iterator[TrackedFile]:
        """Yield every file that `push` sends, folders with all that is in them."""
        for out in self._outs():
            content = out.get_obj() or out.cache.get(out.hash_info.value)
            name = Path(out.fs_path).relative_to(self._repo.root_dir).as_posix()
            yield TrackedFile(path=name, cached=Path(out.cache.oid_to_path(out.hash_info.value)))
            for key, _, digest in content if out.is_dir_checksum else ():
                yield TrackedFile(path="/".join((name, *key)), cached=Path(out.cache.oid_to_path(digest.value)))

    def push(self) -> int:
        """Send all of it and return how many files were not there before.

        Raises:
            InputError: if some could not be sent.
        """
        wanted = {digest for out in self._outs() for found in out.get_used_objs(remote=self._remote).values() for digest in found}
        done = self._repo.cloud.push(wanted, remote=self._remote)
        if done.failed:
            raise InputError(
                "files could not be pushed", where=f"remote '{self._remote}'", got=f"{len(done.failed)} of {len(wanted)}"
            )
        return len(done.transferred)

    def _outs(self) -> Iterator["Output"]:
        for out in self._repo.index.outs:
            if out.use_cache and out.hash_info and out.remote in (None, self._remote) and out.get_used_objs(remote=self._remote):
                yield out


@contextmanager
def open_tracked(root: Path, remote: str) -> Iterator[Tracked]:
    """Lock DVC's project and yield what it tracks.

    Raises:
        InputError: what DVC says, if there is no project, it is locked, the remote is unknown, or the list of a folder is lost.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo, repo.lock:
            yield Tracked(repo, remote)
    except DvcException as error:
        raise InputError("DVC cannot push", where=f"remote '{remote}'", got=" ".join(str(error).split())) from error
