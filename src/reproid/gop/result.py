"""A group of pictures: one I-frame, and every other frame of the clip as motion against it plus a residual.

PSFormer, Sec. III-A and III-B. Shapes: T frames of H x W pixels, h x w = H // 16 x W // 16 patches. Pixels beyond the last whole
patch (odd sizes) move with the patch next to them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from torch import Tensor

from reproid.errors import unknown_name
from reproid.gop.motion import BLOCK
from reproid.gop.warp import residual, warp

Method = Literal["h264-pairs", "h264-bstar", "h264-chain", "block-matching", "block-matching-exhaustive", "grid"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupOfPictures:
    """Motion and residual of one clip. Everything lies on the device of the clip."""

    frames: Tensor
    """uint8 [T, 3, H, W], RGB: the clip itself; frame 0 is the I-frame."""
    motion: Tensor
    """float32 [T-1, 2, h, w], (dx, dy): P(x, y) ~ I(x + dx, y + dy); pixels, multiples of 1/4, within +-64 (``grid``: any)."""
    valid: Tensor
    """bool [T-1, h, w]: the method found the vector itself, and the patch it points to has its centre inside the I-frame.

    False where a codec coded the block without a vector or the vector is out of range: filled from the neighbours.
    """
    method: Method

    @cached_property
    def index(self) -> Tensor:
        """int64 [T-1, h, w]: row-major patch of the I-frame that each patch points to, by `nearest_patch`."""
        return nearest_patch(self.motion)

    @cached_property
    def warped(self) -> Tensor:
        """uint8 [T-1, 3, H, W]: the I-frame moved by ``motion``, a prediction of each P-frame."""
        return warp(self.frames[0], self.motion)

    @cached_property
    def residual(self) -> Tensor:
        """float32 [T-1, 3, H, W], -255..255: the original P-frames minus ``warped``, so that their sum is exact."""
        return residual(self.frames, self.warped)


def nearest_patch(motion: Tensor) -> Tensor:
    """Return the I-frame's patch that a moved patch overlaps most: v = w * row + column (PSFormer, Sec. III-B).

    Args:
        motion: [..., 2, h, w], pixels.

    Returns:
        int64 [..., h, w] in 0..h*w - 1; patches that leave the frame take the nearest one inside.
    """
    rows, columns = motion.shape[-2:]
    x = torch.arange(columns, device=motion.device) + motion[..., 0, :, :] / BLOCK
    y = torch.arange(rows, device=motion.device)[:, None] + motion[..., 1, :, :] / BLOCK
    column = torch.floor(x + 0.5).long().clamp_(0, columns - 1)
    row = torch.floor(y + 0.5).long().clamp_(0, rows - 1)
    return row * columns + column


def check_method(method: str) -> Method:
    """Return ``method`` as the name of a known method.

    Raises:
        InputError: if there is no such method.
    """
    for known in METHODS:
        if method == known:
            return known
    raise unknown_name("motion method", method, list(METHODS))
