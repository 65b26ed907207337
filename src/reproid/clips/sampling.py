"""Which frames of a tracklet a clip takes. Pure functions of numbers: n frames in, positions in 0..n-1 out.

A tracklet, or a rest of it, that is shorter than the clip is looped: its frames in order, then again from the first. So the first
n_real positions of a clip always are different frames, and the others repeat them.
"""

from itertools import pairwise
from typing import Literal

import numpy as np


def restricted_random(n: int, frames: int, rng: np.random.Generator) -> list[int]:
    """Return one random frame of each of ``frames`` equal chunks of the tracklet (restricted random sampling).

    Chunk i holds the positions floor(i n / T) to floor((i + 1) n / T) - 1. With fewer than T frames, all are taken and looped.

    Args:
        n: frames of the tracklet, at least 1.
        frames: T.
        rng: the clip's generator.
    """
    if n < frames:
        return looped(list(range(n)), frames)
    bounds = [i * n // frames for i in range(frames + 1)]
    return [int(rng.integers(start, end)) for start, end in pairwise(bounds)]


def consecutive(n: int, frames: int, rng: np.random.Generator) -> list[int]:
    """Return ``frames`` positions in a row from a uniformly random start; a shorter tracklet is looped. Arguments as above."""
    start = int(rng.integers(0, max(n - frames, 0) + 1))
    return looped(list(range(start, min(start + frames, n))), frames)


def covering_clips(
    n: int, frames: int, *, sampling: Literal["dense", "strided"], max_clips: int | None = None
) -> list[tuple[list[int], int]]:
    """Return the clips that cover a tracklet at test time, each with its n_real.

    There are m = ceil(n / T) of them. dense: clip j takes the positions j T to j T + T - 1; strided: j, j + m, j + 2 m, ...
    below n. A clip with fewer than T positions is looped.

    Args:
        n: frames of the tracklet, at least 1.
        frames: T.
        sampling: dense or strided.
        max_clips: keep at most so many: the middles of that many equal parts of the list.
    """
    count = -(-n // frames)
    if sampling == "dense":
        clips = [list(range(j * frames, min((j + 1) * frames, n))) for j in range(count)]
    elif sampling == "strided":
        clips = [list(range(j, n, count)) for j in range(count)]
    else:
        raise AssertionError(sampling)
    if max_clips is not None and max_clips < count:
        clips = [clips[(2 * i + 1) * count // (2 * max_clips)] for i in range(max_clips)]
    return [(looped(clip, frames), len(clip)) for clip in clips]


def looped(positions: list[int], frames: int) -> list[int]:
    """Return ``positions`` repeated in order up to ``frames`` entries."""
    return [positions[i % len(positions)] for i in range(frames)]
