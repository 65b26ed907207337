"""From a codec's list of motion vectors to one vector per block of 16 x 16 pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit
from reproid.gop.motion import BLOCK, Flags, Floats


@jit
def block_vectors(table: NDArray[Any], motion: Floats, known: Flags) -> None:
    """Write one picture's vectors into its field.

    A block of several partitions takes the vector that moves the largest area of it; ties go to the shorter vector, then to the
    first. Of a block that is predicted from the past and the future, the past counts.

    Args:
        table: as in `reproid.gop._codec.Vectors`.
        motion: [2, h, w], pixels, written where the table has a vector.
        known: [h, w], set there.
    """
    rows, columns = known.shape
    newest = np.full((rows, columns), -1, np.int32)  # of every block its last row of the table, and before it (chain) the others
    chain = np.empty(len(table), np.int32)
    for k in range(len(table)):
        column, row = table[k].dst_x // BLOCK, table[k].dst_y // BLOCK
        if 0 <= column < columns and 0 <= row < rows:
            chain[k], newest[row, column] = newest[row, column], k
    for row in range(rows):
        for column in range(columns):
            best, best_area = -1, -1
            k = int(newest[row, column])
            while k >= 0:
                area = _area_moved_alike(table, chain, newest[row, column], k)
                if best < 0 or _before(table, k, area, best, best_area):
                    best, best_area = k, area
                k = int(chain[k])
            if best >= 0:
                scale = table[best].motion_scale
                motion[0, row, column], motion[1, row, column] = table[best].motion_x / scale, table[best].motion_y / scale
                known[row, column] = True


@jit
def _area_moved_alike(table: NDArray[Any], chain: NDArray[np.int32], newest: int, one: int) -> int:
    area, k = 0, newest
    while k >= 0:
        alike = table[k].motion_x == table[one].motion_x and table[k].motion_y == table[one].motion_y
        if alike and table[k].source == table[one].source:
            area += int(table[k].w) * int(table[k].h)
        k = int(chain[k])
    return area


@jit
def _before(table: NDArray[Any], one: int, area: int, other: int, other_area: int) -> bool:
    """Tell whether a vector goes before another: of the past, of the larger area, shorter; the earlier one if all is equal."""
    if table[one].source != table[other].source:
        return bool(table[one].source < table[other].source)
    if area != other_area:
        return area > other_area
    length = abs(table[one].motion_x) + abs(table[one].motion_y)
    return bool(length <= abs(table[other].motion_x) + abs(table[other].motion_y))
