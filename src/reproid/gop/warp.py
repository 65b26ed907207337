"""Warping: the I-frame moved block by block, with the codec's interpolation. The same bytes on every device.

N clips, T frames of H x W pixels, h x w = H // 16 x W // 16 blocks. Pixels right of and below the last whole block (odd sizes)
move with the block next to them; what lies outside the I-frame looks like its nearest edge.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproid._jit import jit
from reproid.gop._simd import row_mean
from reproid.gop.interpolation import MARGIN, SAMPLES, half_planes
from reproid.gop.motion import BLOCK

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


def warp(i_frame: Tensor, motion: Tensor) -> Tensor:
    """Return the prediction of every P-frame: P(x, y) ~ I(x + dx, y + dy).

    Args:
        i_frame: uint8 [..., 3, H, W].
        motion: float32 [..., T-1, 2, h, w], pixels, multiples of 1/4; the same leading sizes.

    Returns:
        uint8 [..., T-1, 3, H, W], on the device of ``i_frame``.
    """
    leading, (height, width) = i_frame.shape[:-3], i_frame.shape[-2:]
    expected = (*leading, motion.shape[-4], 2, height // BLOCK, width // BLOCK)
    if tuple(motion.shape) != expected:
        raise ValueError(f"motion must be {list(expected)} for frames of {height} x {width}, got {list(motion.shape)}")
    clips = math.prod(leading)
    frames, fields = i_frame.reshape(clips, 3, height, width), motion.reshape(clips, *motion.shape[-4:])
    warped = _warp_on_cpu(frames, fields) if i_frame.device.type == "cpu" else warp_by_gather(frames, fields)
    return warped.reshape(*leading, motion.shape[-4], 3, height, width)


def residual(frames: Tensor, warped: Tensor) -> Tensor:
    """Return what the warped I-frame lacks: R = P - warp(I), so that warp(I) + R = P exactly.

    Args:
        frames: uint8 [..., T, 3, H, W], the original frames.
        warped: uint8 [..., T-1, 3, H, W], by `warp`.

    Returns:
        float32 [..., T-1, 3, H, W], whole numbers in -255..255.
    """
    p_frames = frames[..., 1:, :, :, :]
    if frames.device.type != "cpu":
        return p_frames.float() - warped.float()
    out = torch.empty(warped.shape, dtype=torch.float32)
    _subtract(p_frames.contiguous().numpy().ravel(), warped.numpy().ravel(), out.numpy().ravel())
    return out


def _warp_on_cpu(frames: Tensor, motion: Tensor) -> Tensor:
    out = torch.empty((len(frames), motion.shape[1], 3, *frames.shape[-2:]), dtype=torch.uint8)
    quarters = torch.floor(motion * 4 + 0.5).to(torch.int32)
    fractional = bool((quarters & 3).any())
    for frame, field, warped in zip(frames.numpy(), quarters.numpy(), out.numpy(), strict=True):
        for channel in range(3):
            _move_blocks(half_planes(frame[channel], fractional), field, warped, channel)
    return out


@jit
def _move_blocks(planes: Bytes, quarters: NDArray[np.int32], out: Bytes, channel: int) -> None:
    """Warp one channel: planes [4, ...] by `half_planes`, vectors in quarter pixels, out [T-1, 3, H, W]."""
    frames, _, rows, columns = quarters.shape
    height, width = out.shape[2:]
    lines, stride = planes.shape[1:]
    source, target = planes.ravel(), out.ravel()
    for t in range(frames):
        for row in range(rows):
            bottom = height if row == rows - 1 else (row + 1) * BLOCK
            for column in range(columns):
                right = width if column == columns - 1 else (column + 1) * BLOCK
                dx, dy = quarters[t, 0, row, column], quarters[t, 1, row, column]
                top, left = row * BLOCK + (dy >> 2), column * BLOCK + (dx >> 2)
                samples = SAMPLES[4 * (dy & 3) + (dx & 3)]
                near = -MARGIN <= top < lines - MARGIN - BLOCK and -MARGIN <= left < stride - MARGIN - BLOCK
                if near and bottom - row * BLOCK == BLOCK and right - column * BLOCK == BLOCK:
                    place = ((t * 3 + channel) * height + row * BLOCK) * width + column * BLOCK
                    one = (samples[0, 0] * lines + top + samples[0, 1] + MARGIN) * stride + left + samples[0, 2] + MARGIN
                    other = (samples[1, 0] * lines + top + samples[1, 1] + MARGIN) * stride + left + samples[1, 2] + MARGIN
                    for y in range(BLOCK):
                        row_mean(target, place + y * width, source, one + y * stride, source, other + y * stride)
                else:
                    area = out[t, channel, row * BLOCK : bottom, column * BLOCK : right]
                    _move_any(planes, samples, top, left, area)


@jit
def _move_any(planes: Bytes, samples: Integers, top: int, left: int, out: Bytes) -> None:
    """Write pixels of any number, from anywhere: beyond the margin, every line and column repeats the outermost one."""
    last_row, last_column = planes.shape[1] - 1, planes.shape[2] - 1
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total = 1
            for k in range(2):
                row = min(max(top + y + samples[k, 1] + MARGIN, 0), last_row)
                column = min(max(left + x + samples[k, 2] + MARGIN, 0), last_column)
                total += planes[samples[k, 0], row, column]
            out[y, x] = total >> 1


@jit
def _subtract(minuend: Bytes, subtrahend: Bytes, out: NDArray[np.float32]) -> None:
    for k in range(len(out)):
        out[k] = np.float32(np.int32(minuend[k]) - np.int32(subtrahend[k]))


def warp_by_gather(frames: Tensor, motion: Tensor) -> Tensor:
    """Do what `warp` does in torch operations, for a GPU: frames [N, 3, H, W], motion [N, T-1, 2, h, w]."""
    height, width = frames.shape[-2:]
    clips, count = motion.shape[:2]
    planes = _planes(frames)
    rows, columns = planes.shape[-2:]
    where_y = (torch.arange(height, device=frames.device) // BLOCK).clamp_(max=motion.shape[-2] - 1)
    where_x = (torch.arange(width, device=frames.device) // BLOCK).clamp_(max=motion.shape[-1] - 1)
    quarters = torch.floor(motion * 4 + 0.5).long()[..., where_y, :][..., where_x]
    dx, dy = quarters.unbind(2)
    y = torch.arange(height, device=frames.device)[:, None] + (dy >> 2) + MARGIN
    x = torch.arange(width, device=frames.device) + (dx >> 2) + MARGIN
    samples = torch.from_numpy(SAMPLES).to(frames.device)[4 * (dy & 3) + (dx & 3)]
    total = torch.ones((), dtype=torch.int32, device=frames.device)
    for which in range(2):
        plane, down, right = samples[..., which, :].unbind(-1)
        place = (plane * rows + (y + down).clamp(0, rows - 1)) * columns + (x + right).clamp(0, columns - 1)
        place = place.reshape(clips, 1, count * height * width).expand(-1, 3, -1)
        total = total + planes.reshape(clips, 3, -1).gather(2, place).to(torch.int32)
    return (total >> 1).to(torch.uint8).reshape(clips, 3, count, height, width).transpose(1, 2).contiguous()


def _planes(frames: Tensor) -> Tensor:
    """Return `half_planes` of every channel: uint8 [N, 3, 4, H + 2 MARGIN, W + 2 MARGIN]."""
    whole = torch.nn.functional.pad(frames.float(), [MARGIN + 3] * 4, mode="replicate").to(torch.int32)
    sums = _filter(whole, -2)
    planes = (
        whole[..., 3:-3, 3:-3],
        (_filter(whole, -1)[..., 3:-3, 3:-3] + 16) >> 5,
        (sums[..., 3:-3, 3:-3] + 16) >> 5,
        (_filter(sums, -1)[..., 3:-3, 3:-3] + 512) >> 10,
    )
    return torch.stack(planes, 2).clamp_(0, 255).to(torch.uint8)


def _filter(values: Tensor, dim: int) -> Tensor:
    """Return (1, -5, 20, 20, -5, 1) along ``dim``; what wraps around lies within 3 of the border."""
    a, b, c, d, e, f = (values.roll(shift, dim) for shift in (2, 1, 0, -1, -2, -3))
    return (a + f) - 5 * (b + e) + 20 * (c + d)
