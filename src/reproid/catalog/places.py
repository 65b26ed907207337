"""Where a run reads and writes: the folders that the user names, and the project's own for the others."""

from pathlib import Path

from reproid.catalog.datasets import folder_of, index_of
from reproid.catalog.project import project_root
from reproid.catalog.runs import Run


def find_places(run: Run, *, index: Path | None, data: Path | None, out: Path | None, state: Path | None) -> dict[str, Path]:
    """Return the folders ``index``, ``data``, ``out`` and ``state`` of a run.

    Raises:
        InputError: if one is not given and there is no project to take it from.
    """
    given = {"index": index, "data": data, "out": out, "state": state}
    places = {name: folder for name, folder in given.items() if folder is not None}
    if len(places) < len(given):
        root = project_root()
        own = {
            "index": index_of(run.dataset, run.data, root),
            "data": folder_of(run.dataset, run.data, root),
            "out": root / "results" / run.folder,
            "state": root / "results" / "state" / run.run_id,
        }
        places = own | places
    return places
