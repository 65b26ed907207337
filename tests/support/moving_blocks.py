"""Clips whose blocks of 16 x 16 move by known vectors, made with a slow, plain reading of H.264's interpolation (8.4.2.2.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.int64]


def taps(values: Grey, axis: int) -> Grey:
    a, b, c, d, e, f = (np.roll(values, shift, axis) for shift in (2, 1, 0, -1, -2, -3))
    return a - 5 * b + 20 * c + 20 * d - 5 * e + f


def quarter_sample(image: NDArray[np.uint8], y: int, x: int, rows: int, columns: int) -> Grey:
    """The samples [rows, columns] from (y, x) on, in quarter pixels, of an image whose edges go on."""
    far = 80
    padded = np.pad(image.astype(np.int64), far, mode="edge")
    top, left = (y >> 2) + far, (x >> 2) + far
    near = padded[top - 4 : top + rows + 5, left - 4 : left + columns + 5]
    right = np.clip((taps(near, 1) + 16) >> 5, 0, 255)
    down = np.clip((taps(near, 0) + 16) >> 5, 0, 255)
    both = np.clip((taps(taps(near, 1), 0) + 512) >> 10, 0, 255)

    def at(plane: Grey, dy: int = 0, dx: int = 0) -> Grey:
        return plane[4 + dy : 4 + dy + rows, 4 + dx : 4 + dx + columns]

    fy, fx = y & 3, x & 3
    if fy == 0 and fx == 0:
        return at(near)
    if fy == 0:
        one, other = at(right), at(right) if fx == 2 else at(near, 0, fx // 2)
    elif fx == 0:
        one, other = at(down), at(down) if fy == 2 else at(near, fy // 2, 0)
    elif fy == 2 and fx == 2:
        one = other = at(both)
    elif fx == 2:
        one, other = at(both), at(right, fy // 2, 0)
    elif fy == 2:
        one, other = at(both), at(down, 0, fx // 2)
    else:
        one, other = at(right, fy // 2, 0), at(down, 0, fx // 2)
    return (one + other + 1) >> 1


def texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Grey noise whose spectrum falls with the frequency, as that of photographs does."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / np.maximum(frequency, 1 / 64)).real
    bright: NDArray[np.uint8] = np.clip(128 + 50 * (noise - noise.mean()) / noise.std(), 0, 255).astype(np.uint8)
    return bright


@dataclass(frozen=True, kw_only=True)
class MovingBlocks:
    frames: NDArray[np.uint8]
    """[T, H, W, 3], grey."""
    motion: NDArray[np.float32]
    """[T-1, 2, H/16, W/16], pixels."""


def moving_blocks(
    seed: int,
    *,
    quarters: bool = True,
    noise: float = 0.0,
    coherent: bool = True,
    frames: int = 8,
    size: tuple[int, int] = (256, 128),
    reach: float = 24.0,
) -> MovingBlocks:
    """A clip in which every block moves by a vector of its own, up to +-``reach`` pixels per component, from within the I-frame.

    Coherent motion changes from block to block as a turn or a zoom does; incoherent motion is drawn for each block alone.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    rows, columns = height // 16, width // 16
    i_frame = texture(rng, height, width)
    step = 1 if quarters else 4
    y, x = np.mgrid[:rows, :columns] * 64
    pictures, motion = [i_frame], np.zeros((frames - 1, 2, rows, columns), np.int64)
    for t in range(frames - 1):
        field = rng.uniform(-1, 1, size=(2, rows, columns))
        if coherent:
            field = ndimage.gaussian_filter(rng.normal(size=field.shape), (0, 2, 2))
            field *= rng.uniform(0.5, 1) / np.abs(field).max()
        vectors = np.round(field * reach * 4 / step).astype(np.int64) * step
        motion[t, 0] = np.clip(vectors[0], -x, 4 * (width - 16) - x)
        motion[t, 1] = np.clip(vectors[1], -y, 4 * (height - 16) - y)
        picture = i_frame.copy()
        for row in range(rows):
            for column in range(columns):
                dx, dy = motion[t, :, row, column]
                block = quarter_sample(i_frame, row * 64 + dy, column * 64 + dx, 16, 16)
                picture[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = block
        pictures.append(picture)
    clip = np.stack(pictures)
    if noise:
        clip = np.clip(np.round(clip + rng.normal(size=clip.shape) * noise), 0, 255).astype(np.uint8)
    return MovingBlocks(frames=np.repeat(clip[..., None], 3, -1), motion=(motion / 4).astype(np.float32))
