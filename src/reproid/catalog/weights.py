"""Pretrained checkpoints as declared in weights.yaml."""

from pathlib import Path

from reproid.catalog._yaml import Strict, load_yaml
from reproid.catalog.project import weights_folder
from reproid.errors import unknown_name


class Weights(Strict):
    """One checkpoint."""

    url: str
    file: str
    """Name below the weights folder (data/weights or $REPROID_WEIGHTS)."""
    sha256: str
    licence: str
    used_by: tuple[str, ...]
    """Methods that start from it."""


class WeightsFile(Strict):
    """The file weights.yaml."""

    weights: dict[str, Weights]


def find_weights(root: Path, name: str) -> tuple[Weights, Path | None]:
    """Return a checkpoint's declaration and its path, or None in the path's place when the file is not on this machine.

    Raises:
        InputError: if weights.yaml does not declare ``name``.
    """
    path = root / "weights.yaml"
    declared = load_yaml(path, WeightsFile).weights
    if name not in declared:
        raise unknown_name("weights", name, sorted(declared), where=path)
    file = weights_folder(root) / declared[name].file
    return declared[name], file if file.is_file() else None
