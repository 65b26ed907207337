"""What clothes, skin and hair look like: small textures wrapped around body parts.

Rows run along the part from its upper end, columns around it; the middle column faces forward, the outer ones backward.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic._person import CLOTH, HAIR, SKIN, Colour, Person

SIZE = 48
NAMES = ("torso", "sleeve", "hips", "leg", "skin", "head", "hair", "shoe", "bag", "hat", "shadow")
TEXTURES = {name: index for index, name in enumerate(NAMES)}

Texels = NDArray[np.float64]

_row, _column = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
_front = np.abs(_column - SIZE / 2 + 0.5) / SIZE  # 0 in front, 0.5 at the back


@lru_cache(maxsize=256)
def person_textures(person: Person) -> NDArray[np.float32]:
    """Return the textures [K, S, S, 3] of a person, in the order of ``NAMES``."""
    rng = np.random.default_rng(person.cloth_seed)
    upper, second, lower = CLOTH[person.upper], CLOTH[person.upper_second], CLOTH[person.lower]
    skin, hair = SKIN[person.skin], HAIR[person.hair]
    made = {
        "torso": _torso(person.upper_pattern, upper, second, rng),
        "sleeve": _sleeve(person.upper_pattern, upper, second, rng),
        "hips": _lower("plain" if person.lower_pattern == "side stripe" else person.lower_pattern, lower, rng),
        "leg": _lower(person.lower_pattern, lower, rng),
        "skin": _folded(skin, rng, 0.03),
        "head": _head(person, skin, hair, rng),
        "hair": _strands(hair, rng),
        "shoe": _shoe(CLOTH[person.shoes], rng),
        "bag": _bag(CLOTH[person.bag_colour], rng),
        "hat": _folded(CLOTH[person.hat_colour], rng, 0.06),
        "shadow": _plain((0.0, 0.0, 0.0)),
    }
    return np.clip(np.stack([made[name] for name in NAMES]), 0, 1).astype(np.float32)


def _plain(colour: Colour) -> Texels:
    return np.broadcast_to(np.asarray(colour), (SIZE, SIZE, 3)).copy()


def _smooth_noise(rng: np.random.Generator, rows: int, columns: int) -> Texels:
    """Return smooth noise [S, S] around 0 with so many waves; it closes around the part."""
    grid = rng.normal(size=(rows + 2, columns))
    grid = np.concatenate([grid, grid[:, :1]], axis=1)
    at_row, at_column = np.linspace(0, rows, SIZE), np.arange(SIZE) / SIZE * columns
    r, c = at_row.astype(int), at_column.astype(int)
    fr, fc = (at_row - r)[:, None], (at_column - c)[None]
    top = grid[r][:, c] * (1 - fc) + grid[r][:, c + 1] * fc
    low = grid[r + 1][:, c] * (1 - fc) + grid[r + 1][:, c + 1] * fc
    return np.asarray(top * (1 - fr) + low * fr)


def _fold(texels: Texels, rng: np.random.Generator, strength: float = 0.09) -> Texels:
    folds = (
        1 + strength * (0.7 * _smooth_noise(rng, 8, 5) + 0.5 * _smooth_noise(rng, 4, 14)) + 0.02 * rng.normal(size=(SIZE, SIZE))
    )
    return np.asarray(texels * folds[..., None])


def _folded(colour: Colour, rng: np.random.Generator, strength: float = 0.09) -> Texels:
    return _fold(_plain(colour), rng, strength)


def _pattern(pattern: str, colour: Colour, second: Colour, rng: np.random.Generator) -> Texels:
    """Return a cloth whose pattern runs over the whole surface."""
    out, other = _plain(colour), np.asarray(second)
    period, shift = int(rng.integers(6, 13)), int(rng.integers(12))
    rows, columns = (_row + shift) % period, (_column + shift) % period
    if pattern == "stripes":
        out[rows < period * 0.42] = other
    elif pattern == "bars":
        out[columns < period * 0.4] = other
    elif pattern == "checks":
        weight = 0.5 * (rows < period * 0.4) + 0.5 * (columns < period * 0.4)
        out = out * (1 - weight[..., None]) + other * weight[..., None]
    elif pattern == "dots":
        out[(rows - period / 2) ** 2 + (columns - period / 2) ** 2 < (period * 0.3) ** 2] = other
    return out


def _torso(pattern: str, colour: Colour, second: Colour, rng: np.random.Generator) -> Texels:
    out, other = _pattern(pattern, colour, second, rng), np.asarray(second)
    top, wide = int(rng.integers(6, 12)), float(rng.uniform(0.09, 0.15))
    if pattern == "logo":
        high = int(rng.integers(8, 16))
        patch = (_front < wide) & (_row >= top) & (_row < top + high)
        hole = (_front < wide * 0.45) & (_row >= top + high // 3) & (_row < top + 2 * high // 3)
        out[patch & ~hole] = other
    elif pattern == "print":
        tall = int(rng.integers(14, 22))
        disc = ((0.5 - _front) / 0.17) ** 2 + ((_row - top - tall / 2) / (tall / 2)) ** 2 < 1
        out[disc] = other
        out[(_front < 0.03) & (_row > 2)] = 0.5 * out[(_front < 0.03) & (_row > 2)] + 0.5 * other
    elif pattern == "yoke":
        out[_row < SIZE * float(rng.uniform(0.25, 0.5))] = other
    out = _fold(out, rng)
    out[(_front < 0.008) & (_row > 3)] *= 0.82  # a row of buttons, a zip
    return out


def _sleeve(pattern: str, colour: Colour, second: Colour, rng: np.random.Generator) -> Texels:
    if pattern == "yoke":
        return _folded(second, rng)
    return _fold(_pattern(pattern, colour, second, rng), rng)


def _lower(pattern: str, colour: Colour, rng: np.random.Generator) -> Texels:
    out = _plain(colour)
    if pattern == "faded":
        pale = np.exp(-((_row / SIZE - 0.5) ** 2) / 0.06) * np.exp(-(_front**2) / 0.02)
        out = out + 0.35 * pale[..., None] * (0.9 - out)
    elif pattern == "side stripe":
        out[np.abs(_front - 0.25) < 0.05] = np.asarray((0.85, 0.85, 0.85)) if sum(colour) < 1.5 else np.asarray((0.1, 0.1, 0.12))
    elif pattern == "checks":
        weight = 0.35 * ((_row % 8 < 3).astype(float) + (_column % 8 < 3))
        out = out * (1 - weight[..., None]) + (1 - out) * 0.6 * weight[..., None]
    return _fold(out, rng)


def _strands(hair: Colour, rng: np.random.Generator) -> Texels:
    strands = 1 + 0.14 * _smooth_noise(rng, 2, 24) + 0.05 * rng.normal(size=(SIZE, SIZE))
    lighter_ends = 1 + 0.25 * (_row / SIZE) ** 2
    return np.asarray(_plain(hair) * (strands * lighter_ends)[..., None])


def _head(person: Person, skin: Colour, hair: Colour, rng: np.random.Generator) -> Texels:
    face = _plain(skin)
    if person.hair_style != "bald":
        line = 0.18 + 0.05 * (person.hair_style != "short")  # how far the hair comes to the front, by height below
        covered = (_row < SIZE * 0.16) | ((_front > line) & (_row < SIZE * 0.80)) | ((_front > 0.30) & (_row < SIZE * 0.95))
        face[covered] = _strands(hair, rng)[covered]
    eyes = (np.abs(_row - SIZE * 0.45) < 2.0) & (np.abs(_front - 0.062) < 0.024)
    face[eyes] = np.asarray((0.14, 0.11, 0.10))
    brows = (np.abs(_row - SIZE * 0.36) < 1.2) & (np.abs(_front - 0.062) < 0.036)
    face[brows] = 0.6 * face[brows] + 0.4 * np.asarray(hair)
    mouth = (np.abs(_row - SIZE * 0.76) < 1.5) & (_front < 0.05)
    face[mouth] = face[mouth] * np.asarray((0.80, 0.55, 0.55))
    nose = (np.abs(_row - SIZE * 0.57) < 4) & (_front < 0.015)
    face[nose] *= 0.88
    return face


def _shoe(colour: Colour, rng: np.random.Generator) -> Texels:
    out = _folded(colour, rng, 0.04)
    out[:, : SIZE // 5] = 0.75  # a pale sole
    return out


def _bag(colour: Colour, rng: np.random.Generator) -> Texels:
    out = _folded(colour, rng, 0.05)
    out[(_row > SIZE * 0.5) & (_row < SIZE * 0.56)] *= 0.6
    out[(_row > SIZE * 0.62) & (np.abs(_front - 0.5) < 0.13)] *= 0.85
    return out
