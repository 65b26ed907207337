"""What stands or walks in the way: posts, crates, bushes, and the courses of other people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic import _draw as draw
from reproid.synthetic._body import Placed
from reproid.synthetic._skeleton import Array
from reproid.synthetic._texture import SIZE


@dataclass(frozen=True, kw_only=True)
class Passing:
    """The course of another person through the image."""

    seed: int
    azimuth: float
    at: float
    """Metres right of the image's middle at the first frame."""
    speed: float
    """Metres per second to the right."""
    size: float
    """Against the person who is tracked."""
    lower: float
    """How much lower in the image the feet are, in image heights."""


def draw_passing(rng: np.random.Generator, *, front: bool) -> Passing:
    """Return a course in front of the tracked person, or in the background."""
    seed, right = int(rng.integers(2**31)), bool(rng.integers(2))
    speed = float(rng.uniform(0.4, 1.2)) * (1 if right else -1)
    azimuth = (np.pi / 2 if right else -np.pi / 2) + float(rng.normal(0, 0.3))
    if front:
        return Passing(seed=seed, azimuth=azimuth, at=-speed * float(rng.uniform(0.3, 1.0)), speed=speed, size=1.08, lower=0.06)
    return Passing(
        seed=seed,
        azimuth=azimuth,
        at=float(rng.uniform(-0.6, 0.6)),
        speed=0.5 * speed,
        size=float(rng.uniform(0.45, 0.75)),
        lower=-float(rng.uniform(0.12, 0.3)),
    )


def prop_textures(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Return textures [count, S, S, 3] of one object; only the first is used, the rest keep the numbering even."""
    colour = rng.uniform(0.1, 0.8) * (1 + rng.normal(0, 0.15, 3))
    out = np.broadcast_to(colour, (SIZE, SIZE, 3)).copy()
    kind = rng.integers(3)
    if kind == 0:
        out[np.arange(SIZE) % 12 < 4] *= 0.7
    elif kind == 1:
        out *= 1 + 0.25 * rng.normal(size=(SIZE // 2, SIZE // 2)).repeat(2, 0).repeat(2, 1)[..., None]
    else:
        out[:, np.arange(SIZE) % 8 < 1] *= 0.5
    return np.broadcast_to(np.clip(out, 0, 1), (count, SIZE, SIZE, 3)).astype(np.float32)


def place_prop(rng: np.random.Generator, ground: Array, scale: Array, *, texture: int) -> Placed:
    """Return a post, a crate or a bush that stands at ``ground`` (pixels [T, 2])."""
    high, wide, round_top = ((2.6, 0.09, 0.02), (0.75, 0.36, 0.01), (0.95, 0.30, 0.25))[int(rng.integers(3))]
    wide *= float(rng.uniform(0.8, 1.25))
    table = np.zeros((len(scale), 1, draw.COLUMNS))
    table[:, 0, draw.AX] = table[:, 0, draw.BX] = ground[:, 0]
    table[:, 0, draw.AY] = ground[:, 1] - high * scale
    table[:, 0, draw.BY] = ground[:, 1] + 0.12 * scale
    for column in (draw.WA, draw.WM, draw.WB):
        table[:, 0, column] = wide * scale
    table[:, 0, draw.CAP_A] = round_top * scale
    table[:, 0, draw.CAP_B] = 0.02 * scale
    table[:, 0, draw.TEXTURE] = texture
    table[:, 0, draw.RELIEF] = 0.3
    table[:, 0, draw.OPACITY] = 1.0
    return Placed(parts=table, depth=np.zeros((len(scale), 1)))
