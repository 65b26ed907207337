"""The cameras of a site: viewpoint, colour response, optics, and the place they look at."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reproid.catalog.synthetic import SyntheticSpec
from reproid.seeds import derive_seed

NOISE_LENGTH = 1 << 17


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One camera."""

    camid: int
    """0-based."""
    azimuth: float
    """Main walking direction against the camera, radians: 0 towards it."""
    elevation: float
    """Radians above the horizon."""
    two_way: float
    """Chance that a person walks the other way."""
    matrix: NDArray[np.float64]
    """Colour response [3, 3]."""
    curve: NDArray[np.uint8]
    """Tone curve [1024]."""
    noise: float
    """Standard deviation of the sensor noise, of [0, 1]."""
    blur: float
    """Weight of a neighbouring pixel, [0, 1/3]."""
    quality: int
    """Of the JPEG files."""
    light: tuple[float, float, float]
    """Direction to the light (right, towards the camera) and the ambient share."""


@lru_cache(maxsize=64)
def make_camera(spec: SyntheticSpec, camid: int) -> Camera:
    """Return camera ``camid`` (0-based) of the site."""
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "camera", camid))
    # Neighbouring cameras see opposite sides; the golden angle spreads any number of them evenly.
    azimuth = (camid * 2.399963 + 0.35 + rng.normal(0, 0.12)) % (2 * np.pi)
    steep = (0.12, 0.35, 0.2, 0.62, 0.28, 0.45)[camid % 6] + rng.normal(0, 0.03)
    k = spec.colour_response
    white = np.exp(rng.normal(0, 0.075 * k, 3))
    white /= white.mean()
    saturation = 1.0 + k * float(rng.uniform(-0.45, 0.25))
    grey = np.full((3, 3), 1 / 3)
    matrix = np.diag(white) @ (saturation * np.eye(3) + (1 - saturation) * grey) * _exposure(spec, camid)
    gamma, lift = np.exp(np.clip(rng.normal(-0.05, 0.17), -0.3, 0.25) * k), abs(rng.normal(0, 0.035 * k))
    side = rng.uniform(-0.8, 0.8)
    return Camera(
        camid=camid,
        azimuth=float(azimuth),
        elevation=float(max(steep, 0.03)),
        two_way=float(rng.choice([0.1, 0.3, 0.5])),
        matrix=np.round(matrix, 6),
        curve=_tone_curve(float(gamma), float(lift)),
        noise=0.017 * spec.noise * float(rng.uniform(0.4, 1.6)),
        blur=min(0.30, 0.11 * spec.blur * float(rng.uniform(0.2, 2.0)) * spec.height / 128),
        quality=max(20, spec.jpeg_quality - int(rng.integers(0, 26))),
        light=(float(side), float(np.sqrt(1 - side**2)), float(rng.uniform(0.35, 0.6))),
    )


def _exposure(spec: SyntheticSpec, camid: int) -> float:
    """Return a camera's exposure, 0.45 to 1.55 at the default response, spread evenly over any number of cameras.

    It is what cameras differ in most: a descriptor that sees brightness (a plain histogram, a network with random weights) finds
    hardly anybody across cameras; one that has learnt, or divides by the mean, does.
    """
    start = np.random.default_rng(derive_seed(spec.seed, "data", "exposure")).random()
    place = (camid * 0.618034 + start) % 1.0
    return float(np.exp(spec.colour_response * (1.24 * place - 0.80)))


def _tone_curve(gamma: float, lift: float) -> NDArray[np.uint8]:
    x = np.linspace(0, 1, 1024)
    return np.round(255 * np.clip(lift + (1 - lift) * x**gamma, 0, 1)).astype(np.uint8)


@lru_cache(maxsize=64)
def make_noise(spec: SyntheticSpec, camid: int) -> NDArray[np.float32]:
    """Return the scaled sensor noise of a camera, [NOISE_LENGTH]; images read it from different places on."""
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "noise", camid))
    return rng.standard_normal(NOISE_LENGTH, dtype=np.float32) * np.float32(make_camera(spec, camid).noise)


@lru_cache(maxsize=32)
def make_scene(spec: SyntheticSpec, camid: int) -> NDArray[np.float32]:
    """Return what stands behind the persons: [1.5 H, 6 H, 3], sRGB in [0, 1]; the persons' feet are at row 1.2 H."""
    camera, unit = make_camera(spec, camid), spec.height
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "scene", camid))
    rows, columns = int(1.5 * unit), 6 * unit
    image = np.empty((rows, columns, 3))
    # 0.52 H is a metre; the wall stands behind the walk, so the camera's elevation lifts its foot in the image.
    edge = int(np.clip(1.2 * unit - rng.uniform(1.6, 3.5) * np.sin(camera.elevation) * 0.52 * unit, 0, rows))
    _paint_wall(image[:edge], unit, rng)
    _paint_floor(image[edge:], unit, float(np.sin(camera.elevation)), rng)
    if 2 <= edge < rows:
        image[edge - max(2, unit // 40) : edge] *= 0.6
    image *= (
        1
        + 0.07 * _smooth(rng, (rows, columns), unit // 10)[..., None]
        + 0.05 * _smooth(rng, (rows, columns), unit // 40)[..., None]
    )
    image *= (1 + 0.10 * np.cos(np.linspace(0, rng.uniform(4, 16), columns)))[None, :, None]
    return np.clip(image, 0, 1).astype(np.float32)


def _smooth(rng: np.random.Generator, shape: tuple[int, int], cell: int) -> NDArray[np.float64]:
    """Return noise [rows, columns] that changes over ``cell`` pixels: the stains and wear of a place."""
    cell = max(cell, 1)
    grid = rng.normal(size=(shape[0] // cell + 2, shape[1] // cell + 2))
    y, x = np.arange(shape[0]) / cell, np.arange(shape[1]) / cell
    r, c = y.astype(int), x.astype(int)
    rows = grid[r] * (1 - y + r)[:, None] + grid[r + 1] * (y - r)[:, None]
    return np.asarray(rows[:, c] * (1 - x + c) + rows[:, c + 1] * (x - c))


def _muted(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """Return a colour near grey. Its tint differs from place to place, so that the background misleads a colour histogram."""
    return np.asarray(rng.uniform(low, high) * (1 + rng.normal(0, 0.08, 3)))


def _paint_wall(wall: NDArray[np.float64], unit: int, rng: np.random.Generator) -> None:
    """Paint a wall with bricks, panels or plaster, and windows, doors and posters on it."""
    rows, columns = wall.shape[:2]
    wall[:] = _muted(rng, 0.48, 0.66)
    kind = rng.integers(3)
    y, x = np.arange(rows)[:, None], np.arange(columns)[None]
    if kind == 0:
        high, wide = max(3, unit // 16), max(6, unit // 6)
        course = y // high
        joints = (y % high == 0) | ((x + (course % 2) * wide // 2) % wide == 0)
        wall *= (
            1
            + 0.08
            * rng.normal(size=(rows // high + 1, columns // wide + 2))[course, (x + (course % 2) * wide // 2) // wide][..., None]
        )
        wall[joints] *= 0.8
    elif kind == 1:
        wall[:, (np.arange(columns) % max(8, int(0.55 * unit))) < max(1, unit // 50)] *= 0.7
    for _ in range(int(rng.integers(8, 15))):
        wide, high = int(rng.uniform(0.15, 0.7) * unit), int(rng.uniform(0.2, 0.9) * unit)
        left, top = int(rng.integers(0, columns - wide)), int(rng.uniform(-0.1, 0.6) * rows)
        if rng.random() < 0.35:
            top, high = max(0, rows - int(1.05 * unit)), int(1.05 * unit)  # a door
        block = wall[max(top, 0) : max(top + high, 0), left : left + wide]
        frame = max(1, unit // 60)
        block[:] = _muted(rng, 0.3, 0.8)
        block[frame:-frame, frame:-frame] = np.clip(_muted(rng, 0.3, 0.8) * rng.uniform(0.68, 1.32, 3), 0, 1)


def _paint_floor(floor: NDArray[np.float64], unit: int, rise: float, rng: np.random.Generator) -> None:
    """Paint a floor with tiles, planks or asphalt; seen flat, its rows are pressed together by ``rise``."""
    rows, columns = floor.shape[:2]
    floor[:] = _muted(rng, 0.38, 0.56)
    y, x = np.arange(rows)[:, None] / max(rise, 0.1), np.arange(columns)[None]
    kind, wide = rng.integers(3), int(rng.uniform(0.2, 0.5) * unit)
    if kind == 0:
        odd = ((y // wide).astype(int) + x // wide) % 2 == 1
        floor[odd] *= float(rng.uniform(0.75, 0.95))
        floor[((y % wide) < 2) | (x % wide < 1)] *= 0.85
    elif kind == 1:
        slant = (x + (y * rng.uniform(-0.8, 0.8)).astype(int)) // max(4, wide // 3)
        floor *= 1 + 0.10 * rng.normal(size=4096)[slant % 4096][..., None]
    floor *= 1 + 0.04 * rng.normal(size=(rows, columns, 1))
    floor *= np.linspace(0.85, 1.1, rows)[:, None, None] if rows else 1
