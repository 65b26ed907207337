"""Augmentation of one training clip: mirror, shift, erase. Bytes in, bytes out; T frames of H x W pixels."""

import math

import numpy as np
import torch
from torch import Tensor

from reproid.catalog.settings import Clips

# Random erasing: Zhong et al., AAAI 2020, Sec. 4 and 5.1; ImageNet's mean colour fills the rectangle.
AREA = (0.02, 0.4)
RATIO = (0.3, 1 / 0.3)
ATTEMPTS = 100
FILL = (124, 116, 104)


def augment(frames: Tensor, settings: Clips, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, then shift the whole clip; then erase frame by frame.

    Args:
        frames: uint8 [T, 3, H, W].
        settings: chances and padding.
        rng: the clip's generator.

    Returns:
        The frames, and bool [T]: which of them lost a rectangle.
    """
    if rng.random() < settings.flip:
        frames = frames.flip(-1)
    if settings.pad:
        frames = pad_and_crop(frames, settings.pad, rng)
    return erase(frames, settings.erasing, rng)


def pad_and_crop(frames: Tensor, pad: int, rng: np.random.Generator) -> Tensor:
    """Return the clip shifted by -pad..pad pixels along each axis, the same for all frames; what comes in is black."""
    height, width = frames.shape[-2:]
    padded = torch.nn.functional.pad(frames, (pad, pad, pad, pad))
    top, left = (int(value) for value in rng.integers(0, 2 * pad + 1, size=2))
    return padded[..., top : top + height, left : left + width]


def erase(frames: Tensor, chance: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return the frames, each with a rectangle erased at ``chance``, and which ones: bool [T]."""
    frames = frames.clone()
    erased = torch.zeros(len(frames), dtype=torch.bool)
    for t, frame in enumerate(frames):
        box = _rectangle(frame.shape[-2], frame.shape[-1], rng) if rng.random() < chance else None
        if box is not None:
            top, left, height, width = box
            frame[:, top : top + height, left : left + width] = torch.tensor(FILL, dtype=torch.uint8)[:, None, None]
            erased[t] = True
    return frames, erased


def _rectangle(height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int] | None:
    """Return (top, left, height, width) of a random rectangle inside the image, None if no attempt fits."""
    for _ in range(ATTEMPTS):
        area = rng.uniform(*AREA) * height * width
        ratio = rng.uniform(*RATIO)
        h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < h < height and 0 < w < width:
            return int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1)), h, w
    return None
