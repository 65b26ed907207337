"""Methods by name."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reproid.gop.block_matching import BlockMatching, ExhaustiveBlockMatching, Grid
from reproid.gop.h264 import Bstar, Chain, Pairs
from reproid.gop.motion import MotionField
from reproid.gop.result import Method


class MotionFinder(Protocol):
    """Finds the motion of clips; may keep what is costly to open, nothing that changes a result."""

    def __call__(self, luma: NDArray[np.uint8], /) -> MotionField:
        """Return the motion of the frames ``luma`` [T, H, W] against the first."""


_FINDERS: dict[Method, Callable[[], MotionFinder]] = {
    "h264-pairs": Pairs,
    "h264-bstar": Bstar,
    "h264-chain": Chain,
    "block-matching": BlockMatching,
    "block-matching-exhaustive": ExhaustiveBlockMatching,
    "grid": Grid,
}


def finder(method: Method) -> MotionFinder:
    """Return a new finder of ``method``."""
    return _FINDERS[method]()
