"""H.264's luma interpolation: half-pixel planes by the filter (1, -5, 20, 20, -5, 1), from which quarter pixels are averages.

ITU-T H.264, 8.4.2.2.1. It is the one interpolation of this package: of the codec, of block matching, and, channel by
channel, of the warp. All in integers, so that every device gives the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit
from reproid.gop._simd import LANES, row_half, row_taps

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
    """Return the planes of one channel [4, H + 2 MARGIN, at least W + 2 MARGIN], in the order of the constants above.

    The frame's edge pixels go on outside it; a row's length is a multiple of 16.

    Args:
        image: [H, W].
        fractional: False leaves the last three undefined.
    """
    height, width = image.shape
    rows, stride = height + 2 * MARGIN, (width + 2 * MARGIN + LANES - 1) // LANES * LANES
    planes = np.empty((4, rows, stride), np.uint8)
    for y in range(rows):
        source, line = image[min(max(y - MARGIN, 0), height - 1)], planes[WHOLE, y]
        line[:MARGIN] = source[0]
        line[MARGIN : MARGIN + width] = source
        line[MARGIN + width :] = source[width - 1]
    if fractional:
        _filter(planes)
    return planes


@jit
def _filter(planes: Bytes) -> None:
    """Fill the fractional planes; nearer to the border than the filter reaches, all samples of a line are equal."""
    _, rows, stride = planes.shape
    flat, size = planes.ravel(), rows * stride
    sums = np.empty(stride, np.int16)
    for y in range(rows):
        start, near = y * stride, min(max(y, 2), rows - 4) * stride
        for x in range(0, stride, LANES):
            row_half(flat, DOWN * size + start + x, flat, near + x, stride)
            row_taps(sums, x, flat, near + x, stride)
        for x in range(2, stride, LANES):
            x = min(x, stride - 3 - LANES)
            row_half(flat, RIGHT * size + start + x, flat, start + x, 1)
            row_half(flat, BOTH * size + start + x, sums, x, 1)
        for plane in (RIGHT, BOTH):
            line = planes[plane, y]
            line[:2], line[stride - 3 :] = line[2], line[stride - 4]
