"""Searches for the block of the I-frame that is most alike, by the sum of absolute differences (SAD) of luma. In numba.

Vectors are (dy, dx), whole or quarter pixels. A block may leave the frame by half its size: its centre stays inside. Of equal
SADs the vector tried first wins, so that flat pictures do not move. Pictures are flat arrays, which cost nothing to pass on.
"""

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit
from reproid.gop._simd import LANES, row_sad, row_sad_of_mean
from reproid.gop.interpolation import MARGIN, SAMPLES, Bytes
from reproid.gop.motion import BLOCK

Integers = NDArray[np.int64]
Pictures = tuple[Bytes, int, Bytes, int, int]
"""A P-frame's luma, its row length; the I-frame's planes by `half_planes`, their row length, the size of one."""
CELL = 4
"""Side of the cells, pixels, whose means the coarse search compares: a block is 4 x 4 cells, one vector of 16 bytes."""
_HALF_ROWS = BLOCK // 2
_NOWHERE = 1 << 30


@jit
def whole_sad(pictures: Pictures, place: int, y: int, x: int, worst: int) -> int:
    """Return the SAD of the P-frame's block at ``place`` and the I-frame's at pixel (y, x), or any sum above ``worst``."""
    luma, width, planes, stride, _ = pictures
    start = (y + MARGIN) * stride + x + MARGIN
    total = 0
    for k in range(_HALF_ROWS):
        total += row_sad(luma, place + k * width, planes, start + k * stride)
    if total < worst:
        for k in range(_HALF_ROWS, BLOCK):
            total += row_sad(luma, place + k * width, planes, start + k * stride)
    return total


@jit
def quarter_sad(pictures: Pictures, place: int, y: int, x: int, worst: int) -> int:
    """Do what `whole_sad` does, at (y, x) in quarter pixels."""
    luma, width, planes, stride, size = pictures
    samples = SAMPLES[4 * (y & 3) + (x & 3)]
    start = ((y >> 2) + MARGIN) * stride + (x >> 2) + MARGIN
    one = start + samples[0, 0] * size + samples[0, 1] * stride + samples[0, 2]
    other = start + samples[1, 0] * size + samples[1, 1] * stride + samples[1, 2]
    total = 0
    for k in range(_HALF_ROWS):
        total += row_sad_of_mean(luma, place + k * width, planes, one + k * stride, planes, other + k * stride)
    if total < worst:
        for k in range(_HALF_ROWS, BLOCK):
            total += row_sad_of_mean(luma, place + k * width, planes, one + k * stride, planes, other + k * stride)
    return total


@jit
def _bounds(place: int, size: int, reach: int) -> tuple[int, int]:
    """Return the least and the greatest displacement, pixels, of a block at pixel ``place`` along an axis of ``size``."""
    return max(-reach, -place - BLOCK // 2), min(reach, size - place - BLOCK // 2)


@jit
def search_all(luma: Bytes, planes: Bytes, order: Integers, reach: int, out: Integers) -> None:
    """Try every vector: the reference of all other searches.

    Args:
        luma: a P-frame [H, W], contiguous.
        planes: of the I-frame, by `half_planes`.
        order: the vectors (dy, dx) in quarter pixels [n, 2], the first tried first.
        reach: greatest component, pixels.
        out: (dx, dy) in quarter pixels [2, h, w], written.
    """
    height, width = luma.shape
    pictures = (luma.ravel(), width, planes.ravel(), planes.shape[2], planes.shape[1] * planes.shape[2])
    for row in range(out.shape[1]):
        low_y, high_y = _bounds(row * BLOCK, height, reach)
        for column in range(out.shape[2]):
            low_x, high_x = _bounds(column * BLOCK, width, reach)
            best = _NOWHERE
            for k in range(len(order)):
                dy, dx = order[k, 0], order[k, 1]
                if 4 * low_y <= dy <= 4 * high_y and 4 * low_x <= dx <= 4 * high_x:
                    place = row * BLOCK * width + column * BLOCK
                    sad = quarter_sad(pictures, place, 4 * row * BLOCK + dy, 4 * column * BLOCK + dx, best)
                    if sad < best:
                        best, out[0, row, column], out[1, row, column] = sad, dx, dy


@jit
def search_grid(luma: Bytes, i_frame: Bytes, out: Integers) -> None:
    """Try the I-frame's own patches; of equally alike ones the nearest counts.

    Args:
        luma: a P-frame [H, W], contiguous.
        i_frame: [H, W], contiguous.
        out: (dx, dy) in quarter pixels [2, h, w], written.
    """
    rows, columns = out.shape[1:]
    width = luma.shape[1]
    one, other = luma.ravel(), i_frame.ravel()
    for block in range(rows * columns):
        row, column = block // columns, block % columns
        place = (row * width + column) * BLOCK
        best, nearest = _NOWHERE, _NOWHERE
        for patch in range(rows * columns):
            v, u = patch // columns - row, patch % columns - column
            sad = 0
            for k in range(BLOCK):
                sad += row_sad(one, place + k * width, other, place + (v * BLOCK + k) * width + u * BLOCK)
            if sad < best or (sad == best and v * v + u * u < nearest):
                best, nearest = sad, v * v + u * u
                out[0, row, column], out[1, row, column] = 4 * BLOCK * u, 4 * BLOCK * v


@jit
def cells_of(picture: Bytes, spread: int) -> Bytes:
    """Return the means of the 4 x 4 cells from a cell on, for every ``spread``-th cell and row of cells [rows, columns, 16].

    Args:
        picture: [H, W]: the I-frame with its margin (spread 1: blocks anywhere) or a P-frame (spread 4: its blocks).
        spread: cells from one place to the next.
    """
    rows, columns = picture.shape[0] // CELL, picture.shape[1] // CELL
    means = np.empty((rows, columns), np.uint8)
    for row in range(rows):
        for column in range(columns):
            total = CELL * CELL // 2
            for y in range(CELL):
                for x in range(CELL):
                    total += picture[row * CELL + y, column * CELL + x]
            means[row, column] = total // (CELL * CELL)
    out = np.empty(((rows - 4) // spread + 1, (columns - 4) // spread + 1, LANES), np.uint8)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            for y in range(4):
                for x in range(4):
                    out[row, column, 4 * y + x] = means[row * spread + y, column * spread + x]
    return out


@jit
def search_predicted(luma: Bytes, planes: Bytes, cells: Bytes, before: Integers, settings: Integers, out: Integers) -> None:
    """Search from where the neighbours went; where that is not alike enough, from the best places on a coarse grid.

    Args:
        luma: a P-frame [H, W], contiguous.
        planes: of the I-frame, by `half_planes`.
        cells: of the I-frame, by `cells_of`.
        before: (dx, dy) of the P-frame before [2, h, w], quarter pixels.
        settings: reach in pixels; SAD that is alike enough; how many coarse places are followed.
        out: (dx, dy) in quarter pixels [2, h, w], written.
    """
    rows, columns = out.shape[1:]
    height, width = luma.shape
    pictures = (luma.ravel(), width, planes.ravel(), planes.shape[2], planes.shape[1] * planes.shape[2])
    own, theirs, per_row = cells_of(luma, 4).ravel(), cells.ravel(), cells.shape[1] * LANES
    box, best, here = np.empty(4, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)  # best: SAD, dy, dx
    places = np.empty((settings[2], 3), np.int64)
    for row in range(rows):
        y0 = row * BLOCK
        box[0], box[1] = _bounds(y0, height, settings[0])
        for column in range(columns):
            x0 = column * BLOCK
            box[2], box[3] = _bounds(x0, width, settings[0])
            best[0] = _NOWHERE
            _try(pictures, y0, x0, 0, 0, box, best)
            _try_rounded(pictures, y0, x0, before[:, row, column], box, best)
            if column:
                _try_rounded(pictures, y0, x0, out[:, row, column - 1], box, best)
            if row:
                _try_rounded(pictures, y0, x0, out[:, row - 1, column], box, best)
                _try_rounded(pictures, y0, x0, out[:, row - 1, min(column + 1, columns - 1)], box, best)
            _descend(pictures, y0, x0, 1, box, best)
            if best[0] > settings[1]:
                start = (y0 + MARGIN) // CELL * per_row + (x0 + MARGIN) // CELL * LANES
                _coarse(own, (row * (width // BLOCK) + column) * LANES, theirs, start, per_row, box, places)
                for k in range(len(places)):
                    here[0] = _NOWHERE
                    # a place half as unlike again as the best one is not worth the time
                    if 2 * places[k, 0] <= 3 * places[0, 0] and _try(pictures, y0, x0, places[k, 1], places[k, 2], box, here):
                        _descend(pictures, y0, x0, 2, box, here)
                        _descend(pictures, y0, x0, 1, box, here)
                        if here[0] < best[0]:
                            best[:] = here
                            if best[0] <= settings[1]:
                                break
            _refine(pictures, y0, x0, box, best)
            out[0, row, column], out[1, row, column] = best[2], best[1]


@jit
def _try(pictures: Pictures, y0: int, x0: int, dy: int, dx: int, box: Integers, best: Integers) -> bool:
    """Take the whole vector (dy, dx) of the block at pixel (y0, x0) if it is better than ``best``; say whether it was."""
    if not (box[0] <= dy <= box[1] and box[2] <= dx <= box[3]):
        return False
    sad = whole_sad(pictures, y0 * pictures[1] + x0, y0 + dy, x0 + dx, best[0])
    if sad >= best[0]:
        return False
    best[0], best[1], best[2] = sad, dy, dx
    return True


@jit
def _try_rounded(pictures: Pictures, y0: int, x0: int, vector: Integers, box: Integers, best: Integers) -> None:
    dy, dx = (vector[1] + 2) >> 2, (vector[0] + 2) >> 2
    if dy != best[1] or dx != best[2]:
        _try(pictures, y0, x0, dy, dx, box, best)


@jit
def _descend(pictures: Pictures, y0: int, x0: int, step: int, box: Integers, best: Integers) -> None:
    """Move to the best of the four vectors ``step`` away until none is better."""
    moved = True
    while moved:
        moved = False
        dy, dx = best[1], best[2]
        for v in range(-step, step + 1, step):
            for u in range(-step, step + 1, step):
                if (v != 0) != (u != 0) and _try(pictures, y0, x0, dy + v, dx + u, box, best):
                    moved = True


@jit
def _coarse(own: Bytes, mine: int, theirs: Bytes, start: int, per_row: int, box: Integers, places: Integers) -> None:
    """Fill ``places`` with the most alike (SAD of cells, dy, dx), best first; nowhere where there are fewer.

    Args:
        own: the P-frame's cells, flat; the block's from ``mine`` on.
        mine: see there.
        theirs: the I-frame's cells, flat; those of the block that has not moved from ``start`` on.
        start: see there.
        per_row: from one row of cells to the next.
        box: least and greatest dy, dx, pixels.
        places: [n, 3], written.
    """
    places[:, 0] = _NOWHERE
    last = len(places) - 1
    for v in range(-(-box[0] // CELL), box[1] // CELL + 1):
        for u in range(-(-box[2] // CELL), box[3] // CELL + 1):
            sad = row_sad(own, mine, theirs, start + v * per_row + u * LANES)
            if sad < places[last, 0]:
                k = last
                while k > 0 and sad < places[k - 1, 0]:
                    places[k] = places[k - 1]
                    k -= 1
                places[k, 0], places[k, 1], places[k, 2] = sad, v * CELL, u * CELL


@jit
def _refine(pictures: Pictures, y0: int, x0: int, box: Integers, best: Integers) -> None:
    """Turn ``best`` into quarter pixels: moved by halves, then by quarters, as long as that is better."""
    sad, dy, dx = best[0], 4 * best[1], 4 * best[2]
    for step in (2, 1):
        for _ in range(3 - step):  # halves once: the nearest is among the eight
            at_y, at_x = dy, dx
            for y in range(at_y - step, at_y + step + 1, step):
                for x in range(at_x - step, at_x + step + 1, step):
                    moved = y != at_y or x != at_x
                    if moved and 4 * box[0] <= y <= 4 * box[1] and 4 * box[2] <= x <= 4 * box[3]:
                        found = quarter_sad(pictures, y0 * pictures[1] + x0, 4 * y0 + y, 4 * x0 + x, sad)
                        if found < sad:
                            sad, dy, dx = found, y, x
            if at_y == dy and at_x == dx:
                break
    best[0], best[1], best[2] = sad, dy, dx
