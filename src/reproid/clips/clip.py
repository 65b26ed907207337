"""The clip: the one type that all models share.

Shapes: B clips, T frames, H x W pixels, h x w = H/16 x W/16 patches, K body parts.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One clip before batching."""

    frames: Tensor
    """uint8 [T, 3, H, W], RGB."""
    erased: Tensor
    """bool [T]: frames that lost a rectangle to random erasing."""
    pid: int
    camid: int
    n_real: int
    tracklet_id: str
    motion: Tensor | None = None
    """float32 [T-1, 2, h, w], pixels."""
    valid: Tensor | None = None
    """bool [T-1, h, w]."""
    residual: Tensor | None = None
    """float32 [T-1, 3, H, W], where it is not that of ``frames``."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A batch of clips. Frames come as bytes: a model normalises them first thing (`reproid.models.normalize`)."""

    frames: Tensor
    """uint8 [B, T, 3, H, W], RGB."""
    pid: Tensor
    """int64 [B], person."""
    camid: Tensor
    """int64 [B], camera, 0-based."""
    n_real: Tensor
    """int64 [B], 1..T: the first n_real frames are different frames, the others repeat them from the first on."""
    tracklet_id: tuple[str, ...]
    erased: Tensor | None = None
    """bool [B, T]: frames that lost a rectangle to random erasing."""
    motion: Tensor | None = None
    """float32 [B, T-1, 2, h, w], pixels: P(x, y) ~ I(x + dx, y + dy); of methods that require a group of pictures."""
    valid: Tensor | None = None
    """bool [B, T-1, h, w]: patches whose motion is known."""
    index: Tensor | None = None
    """int64 [B, T-1, h, w]: row-major patch of the I-frame that a patch points to."""
    residual: Tensor | None = None
    """float32 [B, T-1, 3, H, W] in -255..255: P minus the warped I."""
    heatmaps: Tensor | None = None
    """float32 [B, T, K, h, w]: body parts."""

    def __len__(self) -> int:
        return len(self.frames)

    def to(self, device: torch.device | str) -> "Clip":
        """Return the batch on another device."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
        return Clip(**values | moved)

    def ready(self, device: torch.device | str) -> "Clip":
        """Return the batch on another device, its group of pictures complete: ``index`` and ``residual`` are made there.

        What the batch brings stays; frames without motion have neither.
        """
        clip = self.to(device)
        if clip.motion is None:
            return clip
        from reproid.gop.result import nearest_patch
        from reproid.gop.warp import residual, warp

        index = nearest_patch(clip.motion) if clip.index is None else clip.index
        left = residual(clip.frames, warp(clip.frames[:, 0], clip.motion)) if clip.residual is None else clip.residual
        return replace(clip, index=index, residual=left)


def collate(samples: list[Sample]) -> Clip:
    """Return the batch of ``samples``; all must have the same T, H, W, and carry the same."""

    def stacked(name: str) -> Tensor | None:
        values = [getattr(sample, name) for sample in samples]
        return None if values[0] is None else torch.stack(values)

    return Clip(
        frames=torch.stack([sample.frames for sample in samples]),
        pid=torch.tensor([sample.pid for sample in samples]),
        camid=torch.tensor([sample.camid for sample in samples]),
        n_real=torch.tensor([sample.n_real for sample in samples]),
        tracklet_id=tuple(sample.tracklet_id for sample in samples),
        erased=stacked("erased"),
        motion=stacked("motion"),
        valid=stacked("valid"),
        residual=stacked("residual"),
    )
