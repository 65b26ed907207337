"""What lies in results/ and data/synthetic/ and belongs to no table of any suite: found, and removed only when asked."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.datasets import SyntheticDataSet, folder_of, index_of
from reproid.catalog.plan import plan_suite, planned_media, planned_runs, with_trainings


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A folder that nothing asks for; or a file: a measured cost, or half of one that a killed process left."""

    folder: Path
    files: int
    size: int
    """Bytes."""


HALF_WRITTEN_S = 86400.0
"""A temporary file that nobody has written to for so long has lost its writer."""


def find_leftovers(root: Path) -> tuple[Leftover, ...]:
    """Return what no suite names under the present params.yaml, and files that were never finished.

    These are folders of runs, states, indexes, media and rendered sets, files of costs, and temporary files untouched for a day.
    """
    needed: set[Path] = set()
    for name in suite_names(root):
        catalog = load_catalog(root, suite=name)
        tables = plan_suite(catalog)
        needed |= {root / "results" / cost.path for table in tables for cost in table.costs()}
        needed |= {root / "results" / plan.folder for plan in planned_media(tables).values()}
        for run in with_trainings(planned_runs(tables)).values():
            needed |= {root / "results" / run.folder, root / "results" / "state" / run.run_id}
        for key, dataset in catalog.datasets.items():
            needed.add(index_of(key, dataset, root))
            if isinstance(dataset, SyntheticDataSet):
                needed.add(folder_of(key, dataset, root))
    patterns = ("results/runs/*/*", "results/state/*", "results/index/*/*", "results/media/*/*", "data/synthetic/*/*")
    found = [
        folder for pattern in patterns for folder in sorted(root.glob(pattern)) if folder.is_dir() and not folder.is_symlink()
    ]
    found += sorted(root.glob("results/cost/*.json"))
    unneeded = [folder for folder in found if folder not in needed]
    unneeded += [path for path in _half_written(root) if not any(folder in path.parents for folder in unneeded)]
    return tuple(_measure(path) for path in unneeded)


def remove(leftovers: tuple[Leftover, ...]) -> None:
    """Delete them."""
    for leftover in leftovers:
        if leftover.folder.is_dir():
            shutil.rmtree(leftover.folder)
        else:
            leftover.folder.unlink()


def _half_written(root: Path) -> list[Path]:
    """Return temporary files (see `reproid.files.atomic_path`) that a killed process left behind."""
    before = time.time() - HALF_WRITTEN_S
    found = [path for folder in ("results", "reports", "data/synthetic") for path in sorted((root / folder).rglob(".*.partial*"))]
    return [path for path in found if path.is_file() and path.stat().st_mtime < before]


def _measure(folder: Path) -> Leftover:
    inside = folder.rglob("*") if folder.is_dir() else [folder]
    files = [path for path in inside if path.is_file() and not path.is_symlink()]
    return Leftover(folder=folder, files=len(files), size=sum(path.stat().st_size for path in files))
