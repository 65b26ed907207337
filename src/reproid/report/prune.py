"""What lies in results/ and data/synthetic/ and belongs to no run of any suite: found, and removed only when asked."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from reproid.catalog.catalog import load_catalog, suite_names
from reproid.catalog.datasets import SyntheticDataSet, folder_of, index_of
from reproid.catalog.plan import plan_suite, planned_runs


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """A folder that nothing asks for."""

    folder: Path
    files: int
    size: int
    """Bytes."""


def find_leftovers(root: Path) -> tuple[Leftover, ...]:
    """Return folders of runs, states, indexes and rendered sets that no suite names under the present params.yaml, sorted."""
    needed: set[Path] = set()
    for name in suite_names(root):
        catalog = load_catalog(root, suite=name)
        for run in planned_runs(plan_suite(catalog)).values():
            needed |= {root / "results" / run.folder, root / "results" / "state" / run.run_id}
        for key, dataset in catalog.datasets.items():
            needed.add(index_of(key, dataset, root))
            if isinstance(dataset, SyntheticDataSet):
                needed.add(folder_of(key, dataset, root))
    patterns = ("results/runs/*/*", "results/state/*", "results/index/*/*", "data/synthetic/*/*")
    found = [
        folder for pattern in patterns for folder in sorted(root.glob(pattern)) if folder.is_dir() and not folder.is_symlink()
    ]
    return tuple(_measure(folder) for folder in found if folder not in needed)


def remove(leftovers: tuple[Leftover, ...]) -> None:
    """Delete the folders."""
    for leftover in leftovers:
        shutil.rmtree(leftover.folder)


def _measure(folder: Path) -> Leftover:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return Leftover(folder=folder, files=len(files), size=sum(path.stat().st_size for path in files))
