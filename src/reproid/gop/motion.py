"""Motion fields: from what a codec or a search says of blocks to what the interface promises. h x w blocks of 16 x 16 pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

BLOCK = 16
LIMIT_PX = 64.0
"""Longest component of a motion vector, pixels: twice the encoder's search range."""


@dataclass(frozen=True, kw_only=True)
class MotionField:
    """Motion of the P-frames of a clip against its I-frame, on the CPU."""

    motion: Floats
    """[T-1, 2, h, w], (dx, dy) in pixels: P(x, y) ~ I(x + dx, y + dy)."""
    valid: Flags
    """[T-1, h, w]: found for this block, not filled from its neighbours."""


def finish(motion: Floats, known: Flags, *, height: int, width: int) -> MotionField:
    """Return the field that the interface promises: in range, and filled.

    A block without a vector takes the median of its neighbours; so does one whose vector is out of range: a component above
    `LIMIT_PX`, or the centre of the block that it points to outside the I-frame.

    Args:
        motion: [T-1, 2, h, w], pixels; anything where unknown.
        known: [T-1, h, w], blocks that have a vector.
        height: H of the frames, pixels.
        width: W of the frames, pixels.
    """
    clipped, inside = _clip(motion, height=height, width=width)
    valid = known & inside
    if not valid.all():
        fill_unknown(clipped, valid)
        clipped, _ = _clip(clipped, height=height, width=width)
    return MotionField(motion=clipped, valid=valid)


def _clip(motion: Floats, *, height: int, width: int) -> tuple[Floats, Flags]:
    """Return the vectors cut to their range, and which ones were within it."""
    x = np.arange(motion.shape[3], dtype=np.float32) * BLOCK + BLOCK / 2
    y = np.arange(motion.shape[2], dtype=np.float32)[:, None] * BLOCK + BLOCK / 2
    clipped = np.empty_like(motion)
    np.clip(motion[:, 0], np.maximum(-LIMIT_PX, -x), np.minimum(LIMIT_PX, width - x), out=clipped[:, 0])
    np.clip(motion[:, 1], np.maximum(-LIMIT_PX, -y), np.minimum(LIMIT_PX, height - y), out=clipped[:, 1])
    return clipped, (clipped == motion).all(axis=1)


@jit
def fill_unknown(motion: Floats, known: Flags) -> None:
    """Give blocks without a vector, in place, the median of those of their eight neighbours that have one, ring by ring.

    The lower median of each component; without any vector in a frame, all are zero.

    Args:
        motion: [T-1, 2, h, w].
        known: [T-1, h, w].
    """
    frames, _, rows, columns = motion.shape
    near = np.empty((2, 8), np.float32)
    for t in range(frames):
        have = known[t].copy()
        if not have.any():
            motion[t] = 0.0
            continue
        while not have.all():
            ring = have.copy()
            for y in range(rows):
                for x in range(columns):
                    if have[y, x]:
                        continue
                    n = 0
                    for v in range(max(y - 1, 0), min(y + 2, rows)):
                        for u in range(max(x - 1, 0), min(x + 2, columns)):
                            if have[v, u]:
                                near[0, n], near[1, n] = motion[t, 0, v, u], motion[t, 1, v, u]
                                n += 1
                    if n:
                        for k in range(2):
                            motion[t, k, y, x] = np.sort(near[k, :n])[(n - 1) // 2]
                        ring[y, x] = True
            have = ring


def accumulate(steps: Floats, known: Flags, *, height: int, width: int) -> MotionField:
    """Return motion against the I-frame from motion against the frame before: the reading of CoViAR (Wu et al., CVPR 2018).

    A block's vector leads to a block of the frame before, which leads on. CoViAR traces pixels; here a block goes on with the
    vector of the block that holds its centre. It is valid where the codec gave a vector in every step.

    Args:
        steps: [T-1, 2, h, w], motion of frame t + 1 against frame t, pixels.
        known: [T-1, h, w], steps that the codec gave.
        height: H of the frames, pixels.
        width: W of the frames, pixels.
    """
    rows, columns = steps.shape[2:]
    single = finish(steps, known, height=height, width=width)
    motion, whole = single.motion, single.valid
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    for t in range(1, len(motion)):
        column = np.clip(np.floor(x + 0.5 + motion[t, 0] / BLOCK), 0, columns - 1).astype(np.intp)
        row = np.clip(np.floor(y + 0.5 + motion[t, 1] / BLOCK), 0, rows - 1).astype(np.intp)
        motion[t] += motion[t - 1][:, row, column]
        whole[t] &= whole[t - 1][row, column]
    clipped, inside = _clip(motion, height=height, width=width)
    return MotionField(motion=clipped, valid=whole & inside)
