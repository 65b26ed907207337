from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reproid.gop.motion import accumulate, finish
from reproid.gop.vectors import block_vectors

TABLE = np.dtype(
    [("source", "i4"), ("w", "u1"), ("h", "u1"), ("src_x", "i2"), ("src_y", "i2"), ("dst_x", "i2"), ("dst_y", "i2"),
     ("flags", "u8"), ("motion_x", "i4"), ("motion_y", "i4"), ("motion_scale", "u2")], align=True,
)  # fmt: skip
Row = tuple[int, int, int, int, int, int, int]


def table(rows: list[Row]) -> NDArray[Any]:
    """A table of (source, w, h, dst_x, dst_y, motion_x, motion_y) in quarter pixels, as FFmpeg exports it."""
    out = np.zeros(len(rows), TABLE)
    for k, row in enumerate(rows):
        for name, value in zip(("source", "w", "h", "dst_x", "dst_y", "motion_x", "motion_y"), row, strict=True):
            out[name][k] = value
    out["motion_scale"] = 4
    return out


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(-1, 16, 16, 24, 8, 5, -3)], (1.25, -0.75)),
        ([(-1, 16, 8, 24, 4, 4, 0), (-1, 8, 8, 20, 12, 8, 8), (-1, 8, 8, 28, 12, 0, 0)], (1, 0)),
        ([(-1, 8, 8, 20, 4, 4, 4), (-1, 8, 8, 28, 4, 8, 0), (-1, 8, 8, 20, 12, 4, 4), (-1, 8, 8, 28, 12, 0, 40)], (1, 1)),
        ([(-1, 8, 16, 20, 8, 40, 0), (-1, 8, 16, 28, 8, -8, 0)], (-2, 0)),
        ([(1, 16, 16, 24, 8, 4, 4), (-1, 16, 16, 24, 8, 40, 8)], (10, 2)),
        ([(-1, 8, 16, 20, 8, 4, 0), (1, 16, 16, 24, 8, 8, 0)], (1, 0)),
        ([(1, 16, 16, 24, 8, -12, 4)], (-3, 1)),
    ],
    ids=[
        "quarters",
        "largest part",
        "equal parts add up",
        "tie: shorter",
        "two pictures",
        "the past in part",
        "the future alone",
    ],
)
def test_block_vectors_one_vector_per_block(rows: list[Row], expected: tuple[float, float]) -> None:
    motion, known = np.zeros((2, 2, 3), np.float32), np.zeros((2, 3), np.bool_)
    block_vectors(table(rows), motion, known)
    assert tuple(motion[:, 0, 1]) == expected
    assert known.tolist() == [[False, True, False], [False] * 3]


def test_block_vectors_beyond_the_grid_are_left_out() -> None:
    """Odd sizes: a codec's last column of blocks sticks out."""
    motion, known = np.zeros((2, 1, 1), np.float32), np.zeros((1, 1), np.bool_)
    block_vectors(table([(-1, 16, 16, 24, 8, 5, 5), (-1, 16, 16, 8, 24, 5, 5), (-1, 16, 16, -8, 8, 5, 5)]), motion, known)
    assert not known.any()
    assert not motion.any()


def field(rows: int = 4, columns: int = 4, frames: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((frames, 2, rows, columns), np.float32), np.ones((frames, rows, columns), np.bool_)


def test_finish_blocks_without_a_vector_take_the_median_of_their_neighbours() -> None:
    motion, known = field()
    motion[0, 0] = np.arange(16).reshape(4, 4) / 4
    known[0, 1, 1] = False
    motion[0, :, 1, 1] = 50
    done = finish(motion, known, height=64, width=64)
    assert tuple(done.motion[0, :, 1, 1]) == (sorted([0, 1, 2, 4, 6, 8, 9, 10])[3] / 4, 0)
    assert done.valid.sum() == 15
    assert not done.valid[0, 1, 1]


def test_finish_holes_are_filled_ring_by_ring() -> None:
    motion, known = field(1, 5)
    motion[0, 0, 0, 0] = 3
    known[0, 0, 1:] = False
    done = finish(motion, known, height=16, width=80)
    assert done.motion[0, 0, 0].tolist() == [3] * 5
    assert done.valid[0, 0].tolist() == [True, False, False, False, False]


def test_finish_a_frame_without_any_vector_stands_still() -> None:
    motion, known = field(frames=2)
    motion[:] = 7
    known[1] = False
    done = finish(motion, known, height=64, width=64)
    assert not done.motion[1].any()
    assert not done.valid[1].any()


@pytest.mark.parametrize(
    ("vector", "valid"),
    [((-24, 0), True), ((-24.25, 0), False), ((40, 0), True), ((40.25, 0), False), ((0, -24), True), ((0, 495), False)],
)
def test_finish_vectors_may_leave_the_frame_by_half_a_block(vector: tuple[float, float], valid: bool) -> None:
    """The block's centre is at (24, 24) of 64 x 64 pixels."""
    motion, known = field()
    motion[0, :, 1, 1] = vector
    done = finish(motion, known, height=64, width=64)
    assert done.valid[0, 1, 1] == valid
    assert tuple(done.motion[0, :, 1, 1]) == (vector if valid else (0, 0))


def test_finish_vectors_beyond_the_limit_are_none() -> None:
    motion, known = field(1, 20)
    motion[0, 0, 0, 10], motion[0, 0, 0, 5] = 64, 64.25
    done = finish(motion, known, height=16, width=320)
    assert done.motion[0, 0, 0, [10, 5]].tolist() == [64, 0]
    assert np.flatnonzero(~done.valid[0, 0]).tolist() == [5]


def test_accumulate_follows_the_vectors_back_to_the_first_frame() -> None:
    steps, known = field(1, 4, frames=3)
    steps[0, 0, 0] = [0, 1, 2, 3]
    steps[1, 0, 0] = [16, 0, -16, -8.25]
    steps[2, 0, 0] = [0, 16, 0, 0]
    known[0, 0, 2] = False  # of no consequence but for who leads there
    done = accumulate(steps, known, height=16, width=64)
    assert done.motion[0, 0, 0].tolist() == [0, 1, 1, 3]
    assert done.motion[1, 0, 0].tolist() == [16 + 1, 1, -16 + 1, -8.25 + 1]
    assert done.motion[2, 0, 0].tolist() == [17, 16 - 15, -15, -7.25]
    assert done.valid[1, 0].tolist() == [True, True, True, False]
    assert done.valid[2, 0].tolist() == [True, True, True, False]
