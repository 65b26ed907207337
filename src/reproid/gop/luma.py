"""Brightness of frames, which all motion is found in: ITU-R BT.601 over the full range, in integers on every device."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproid._jit import jit
from reproid.gop._simd import LANES, row_luma

Bytes = NDArray[np.uint8]


def luma_of(clip: Tensor) -> Bytes:
    """Return the brightness [T, H, W] of frames uint8 [T, 3, H, W]: (77 R + 150 G + 29 B) / 256, rounded."""
    if clip.device.type == "cpu":
        frames, _, height, width = clip.shape
        out = np.empty((frames, height, width), np.uint8)
        _luma(clip.contiguous().numpy().reshape(frames, -1), out.reshape(frames, -1))
        return out
    red, green, blue = clip.to(torch.int32).unbind(1)
    values: Bytes = ((77 * red + 150 * green + 29 * blue + 128) >> 8).to(torch.uint8).cpu().numpy()
    return values


@jit
def _luma(rgb: Bytes, out: Bytes) -> None:
    frames, size = out.shape
    source, target = rgb.ravel(), out.ravel()
    for t in range(frames):
        for start in range(0, size, LANES):
            place = min(start, size - LANES)  # the last sixteen may overlap those before
            row_luma(target, t * size + place, source, 3 * t * size + place, size)
