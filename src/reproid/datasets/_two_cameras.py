"""Data sets of two cameras and several splits of the persons: camera 1 asks, camera 2 answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Assignment


@dataclass(frozen=True, kw_only=True)
class Split:
    """The persons of one split, by the layout's names."""

    train: frozenset[str]
    test: frozenset[str]


def list_frames(data: DataFolder, folder: str) -> tuple[str, ...]:
    """Return the PNG files of a folder, sorted, as paths below the data's folder."""
    return tuple(f"{folder}/{name}" for name in data.files(folder) if name.endswith(".png"))


def assign_roles(splits: Sequence[Split], tracklets: dict[str, tuple[str, str]]) -> tuple[Assignment, ...]:
    """Return the roles in splits split-0, split-1, ...

    Args:
        splits: in their published order.
        tracklets: person -> tracklet ids in camera 1 and camera 2, in the data set's order.
    """
    out: list[Assignment] = []
    for number, split in enumerate(splits):
        name = f"split-{number}"
        out += [
            Assignment(split=name, tracklet_id=t, role="train") for p, pair in tracklets.items() if p in split.train for t in pair
        ]
        for role, camera in (("query", 0), ("gallery", 1)):
            out += [
                Assignment(split=name, tracklet_id=pair[camera], role="query" if role == "query" else "gallery")
                for p, pair in tracklets.items()
                if p in split.test
            ]
    return tuple(out)
