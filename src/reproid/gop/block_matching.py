"""Motion by block matching against the I-frame, without a codec: the sum of absolute differences of luma, quarter pixels."""

import numpy as np
from numpy.typing import NDArray

from reproid.gop._search import cells_of, search_all, search_grid, search_predicted
from reproid.gop.interpolation import half_planes
from reproid.gop.motion import BLOCK, MotionField

Luma = NDArray[np.uint8]
REACH_PX = 32
"""Greatest component of a vector, pixels, as the encoder's search range."""
_ALIKE = 20 * BLOCK * BLOCK
"""SAD up to which a predicted vector is refined without a coarse search: a mean difference of 20 per pixel."""
_FOLLOWED = 3
"""Places of the coarse grid that are searched around."""


class BlockMatching:
    """``block-matching``: a predictive search, with a coarse one where prediction fails."""

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        planes = half_planes(luma[0], True)
        cells = cells_of(planes[0], 1)
        quarters = _empty(luma)
        before = np.zeros(quarters.shape[1:], np.int64)
        settings = np.array([REACH_PX, _ALIKE, _FOLLOWED])
        for p_frame, out in zip(luma[1:], quarters, strict=True):
            search_predicted(p_frame, planes, cells, before, settings, out)
            before = out
        return _field(quarters)


class ExhaustiveBlockMatching:
    """``block-matching-exhaustive``: every vector is tried. The reference, hundreds of times slower."""

    def __init__(self, *, reach_px: int = REACH_PX, quarters: bool = True) -> None:
        self._reach, step = reach_px, 1 if quarters else 4
        y, x = np.mgrid[-4 * reach_px : 4 * reach_px + 1 : step, -4 * reach_px : 4 * reach_px + 1 : step]
        shortest_first = np.lexsort((x.ravel(), y.ravel(), (y**2 + x**2).ravel()))
        self._order = np.stack([y.ravel(), x.ravel()], axis=1)[shortest_first].astype(np.int64)

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        planes, quarters = half_planes(luma[0], True), _empty(luma)
        for p_frame, out in zip(luma[1:], quarters, strict=True):
            search_all(p_frame, planes, self._order, self._reach, out)
        return _field(quarters)


class Grid:
    """``grid``: the most alike of the I-frame's own patches, wherever it lies: vectors are multiples of 16 pixels."""

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        quarters = _empty(luma)
        for p_frame, out in zip(luma[1:], quarters, strict=True):
            search_grid(p_frame, luma[0], out)
        return _field(quarters)


def _empty(luma: Luma) -> NDArray[np.int64]:
    frames, height, width = luma.shape
    return np.zeros((frames - 1, 2, height // BLOCK, width // BLOCK), np.int64)


def _field(quarters: NDArray[np.int64]) -> MotionField:
    """Return the field: every block has a vector within range."""
    valid = np.ones((len(quarters), *quarters.shape[2:]), np.bool_)
    return MotionField(motion=(quarters / 4).astype(np.float32), valid=valid)
