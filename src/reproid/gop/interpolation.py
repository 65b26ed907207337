"""H.264's luma interpolation: half-pixel planes by the filter (1, -5, 20, 20, -5, 1), from which quarter pixels are averages.

ITU-T H.264, 8.4.2.2.1. It is the one interpolation of this package: of the codec, of block matching, and, channel by
channel, of the warp. All in integers, so that every device gives the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit

Bytes = NDArray[np.uint8]

MARGIN = 16
"""Pixels that planes reach beyond the frame on every side. Beyond 3, all samples of a line are equal."""
WHOLE, RIGHT, DOWN, BOTH = range(4)
"""Planes: whole pixels, half a pixel right, half down, half right and down."""
# Table 8-12 of the standard: the sample at (row, column) quarters is the average, rounded up, of two samples (plane, rows below,
# columns to the right); of one and the same where it lies on a plane.
_SAMPLES = (
    ((WHOLE, 0, 0), (WHOLE, 0, 0)), ((WHOLE, 0, 0), (RIGHT, 0, 0)),
    ((RIGHT, 0, 0), (RIGHT, 0, 0)), ((RIGHT, 0, 0), (WHOLE, 0, 1)),
    ((WHOLE, 0, 0), (DOWN, 0, 0)), ((RIGHT, 0, 0), (DOWN, 0, 0)), ((RIGHT, 0, 0), (BOTH, 0, 0)), ((RIGHT, 0, 0), (DOWN, 0, 1)),
    ((DOWN, 0, 0), (DOWN, 0, 0)), ((DOWN, 0, 0), (BOTH, 0, 0)), ((BOTH, 0, 0), (BOTH, 0, 0)), ((BOTH, 0, 0), (DOWN, 0, 1)),
    ((DOWN, 0, 0), (WHOLE, 1, 0)), ((RIGHT, 1, 0), (DOWN, 0, 0)), ((BOTH, 0, 0), (RIGHT, 1, 0)), ((RIGHT, 1, 0), (DOWN, 0, 1)),
)  # fmt: skip
SAMPLES = np.array(_SAMPLES)
"""[16, 2, 3]: for each quarter position 4 * row + column, two samples of (plane, rows below, columns to the right)."""


@jit
def half_planes(image: Bytes, fractional: bool) -> Bytes:
    """Return the planes of one channel [4, H + 2 MARGIN, W + 2 MARGIN]: whole pixels; half right; half down; half both.

    The frame's edge pixels go on outside it.

    Args:
        image: [H, W].
        fractional: False leaves the last three undefined.
    """
    height, width = image.shape
    rows, columns = height + 2 * MARGIN, width + 2 * MARGIN
    planes = np.empty((4, rows, columns), np.uint8)
    whole, right, down, both = planes[0], planes[1], planes[2], planes[3]
    for y in range(rows):
        source = image[min(max(y - MARGIN, 0), height - 1)]
        whole[y, :MARGIN], whole[y, MARGIN + width :] = source[0], source[width - 1]
        whole[y, MARGIN : MARGIN + width] = source
    if not fractional:
        return planes
    sums = np.empty((rows, columns), np.int16)
    _filter(whole, right, down, both, sums)
    return planes


@jit
def _filter(whole: Bytes, right: Bytes, down: Bytes, both: Bytes, sums: NDArray[np.int16]) -> None:
    rows, columns = whole.shape
    for y in range(rows):
        # rows beyond the margin equal the outermost one
        a, b, c = whole[max(y - 2, 0)], whole[max(y - 1, 0)], whole[y]
        d, e, f = whole[min(y + 1, rows - 1)], whole[min(y + 2, rows - 1)], whole[min(y + 3, rows - 1)]
        for x in range(columns):
            value = np.int32(a[x]) + f[x] - 5 * (np.int32(b[x]) + e[x]) + 20 * (np.int32(c[x]) + d[x])
            sums[y, x] = value
            down[y, x] = min(max((value + 16) >> 5, 0), 255)
        _filter_row(whole[y], right[y], 5)
        _filter_sums(sums[y], both[y])


@jit
def _filter_row(line: Bytes, out: Bytes, shift: int) -> None:
    n = len(line)
    for x in range(2, n - 3):
        value = np.int32(line[x - 2]) + line[x + 3] - 5 * (np.int32(line[x - 1]) + line[x + 2])
        value += 20 * (np.int32(line[x]) + line[x + 1])
        out[x] = min(max((value + 16) >> 5, 0), 255)
    out[:2], out[n - 3 :] = line[0], line[n - 1]


@jit
def _filter_sums(line: NDArray[np.int16], out: Bytes) -> None:
    n = len(line)
    for x in range(2, n - 3):
        value = np.int32(line[x - 2]) + line[x + 3] - 5 * (np.int32(line[x - 1]) + line[x + 2])
        value += 20 * (np.int32(line[x]) + line[x + 1])
        out[x] = min(max((value + 512) >> 10, 0), 255)
    # of equal sums the filter makes 32 times as much
    first: int = min(max((int(line[0]) + 16) >> 5, 0), 255)
    last: int = min(max((int(line[n - 1]) + 16) >> 5, 0), 255)
    out[:2], out[n - 3 :] = first, last
