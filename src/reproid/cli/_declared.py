"""What datasets.yaml and rendered sets say of a data set, for the commands of `reproid data`."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reproid.catalog.datasets import RealDataSet, SyntheticDataSet


def find_declared(dataset: str) -> "RealDataSet | SyntheticDataSet":
    """Return what datasets.yaml declares under a name.

    Raises:
        InputError: if it declares nothing; suggests the nearest name.
    """
    from reproid.catalog._yaml import load_yaml
    from reproid.catalog.datasets import DataSets
    from reproid.catalog.project import project_root
    from reproid.errors import unknown_name

    path = project_root() / "datasets.yaml"
    known = load_yaml(path, DataSets).datasets
    if dataset not in known:
        raise unknown_name(
            "data set", dataset, list(known), where=path, fix="Declare it there, or give --root, --layout and --out"
        )
    return known[dataset]


def find_folder(name: str, dataset: "RealDataSet | SyntheticDataSet") -> Path:
    """Return the folder of a declared data set.

    Raises:
        InputError: if it is a real one that is not there.
    """
    from reproid.catalog.datasets import availability, folder_of
    from reproid.catalog.project import project_root
    from reproid.errors import InputError

    root = project_root()
    folder = folder_of(name, dataset, root)
    if dataset.source == "real" and (state := availability(name, dataset, root)) != "available":
        raise InputError(f"data {state}", where=name, expected=f"the folder {folder}", got="nothing", fix=dataset.obtain.how)
    return folder


def rendered_counts(root: Path) -> dict[str, int]:
    """Return the counts that a rendered set states; refuse a set whose rendering was interrupted."""
    from reproid.errors import InputError
    from reproid.files import read_json
    from reproid.synthetic import COMPLETE, DECLARED

    if not (root / COMPLETE).exists():
        if (root / DECLARED).exists():
            raise InputError("the synthetic set is not complete", where=root, fix="Run the same reproid data synth again")
        return {}
    counts: dict[str, int] = read_json(root / COMPLETE)["counts"]
    return counts
