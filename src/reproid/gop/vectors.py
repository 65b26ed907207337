"""From a codec's list of motion vectors to one vector per block of 16 x 16 pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproid.gop.motion import BLOCK, Flags, Floats


def block_vectors(table: NDArray[Any], motion: Floats, known: Flags) -> None:
    """Write one picture's vectors into its field.

    A block of several partitions takes the vector that moves the largest area of it; ties go to the shorter vector. Of a
    block that is predicted from two pictures, the one before counts.

    Args:
        table: as in `reproid.gop._codec.Vectors`; quarter pixels.
        motion: [2, h, w], pixels, written where the table has a vector.
        known: [h, w], set there.
    """
    rows, columns = known.shape
    column, row = table["dst_x"] // BLOCK, table["dst_y"] // BLOCK
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    whole = bool(((table["w"] == BLOCK) & (table["h"] == BLOCK)).all())
    order = np.flatnonzero(inside)
    # of whole blocks the last vector written stays: that of source -1, the past
    order = order[np.argsort(-table["source"][order])] if whole else _largest(table, order, row * columns + column)
    scale = table["motion_scale"][order].astype(np.float32)
    motion[0, row[order], column[order]] = table["motion_x"][order] / scale
    motion[1, row[order], column[order]] = table["motion_y"][order] / scale
    known[row[order], column[order]] = True


def _largest(table: NDArray[Any], candidates: NDArray[np.intp], block: NDArray[Any]) -> NDArray[np.intp]:
    """Return one row of the table per block: of the vector with the largest area."""
    areas: dict[tuple[int, int, int, int], int] = {}
    first: dict[tuple[int, int, int, int], int] = {}
    for k in candidates.tolist():
        key = (int(block[k]), int(table["source"][k]), int(table["motion_x"][k]), int(table["motion_y"][k]))
        areas[key] = areas.get(key, 0) + int(table["w"][k]) * int(table["h"][k])
        first.setdefault(key, k)
    best: dict[int, tuple[int, int, int, int, int]] = {}
    for (where, source, dx, dy), area in areas.items():
        rank = (source, -area, abs(dx) + abs(dy), dx, dy)
        best[where] = min(rank, best.get(where, rank))
    return np.array([first[where, rank[0], rank[3], rank[4]] for where, rank in sorted(best.items())], np.intp)
