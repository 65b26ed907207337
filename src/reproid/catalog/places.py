"""Where a run reads and writes: the folders that the user names, and the project's own for the others."""

from pathlib import Path

from reproid.catalog.datasets import folder_of, index_of
from reproid.catalog.media import plan_media
from reproid.catalog.project import project_root
from reproid.catalog.runs import Run
from reproid.errors import InputError


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


def find_media_of(run: Run) -> Path | None:
    """Return the project's folder of the motion that a run reads at test time; None where it has none or it is not complete."""
    plan = plan_media(run)
    if plan is None:
        return None
    try:
        folder = project_root() / "results" / plan.folder
    except InputError:  # outside a project
        return None
    return folder if (folder / "media.json").is_file() else None
