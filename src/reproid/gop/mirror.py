"""Motion of a mirrored clip, exactly: what is warped and what is left over are those of the clip, mirrored."""

import torch
from torch import Tensor


def mirrored(motion: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return motion and validity of the clip mirrored left to right: dx -> -dx, the grid turned round.

    The interpolation of H.264 is symmetric, so `warp` of the mirrored I-frame is byte for byte the mirrored warp. That holds for
    frames whose width is a multiple of 16: in others, the grid of the mirrored clip begins elsewhere.

    Args:
        motion: [..., 2, h, w], pixels.
        valid: [..., h, w].
    """
    turned = motion.flip(-1)
    dx, dy = turned.unbind(-3)
    return torch.stack((0.0 - dx, dy), -3), valid.flip(-1)
