"""Frames as patches (Section III-B): B clips, T frames, N = h x w patches in row-major order, 768 = 3 x 16 x 16 numbers each."""

from dataclasses import dataclass

import torch
from torch import Tensor

from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.normalize import Normalize
from reproid.models.psformer.matching import luma
from reproid.models.psformer.options import PATCH, Options


@dataclass(frozen=True, kw_only=True)
class Patches:
    """A batch of clips, patch by patch. Pixels are normalised per channel; a residual is divided by the same spread."""

    frames: Tensor
    """[B, T, 3, H, W], normalised."""
    pixels: Tensor
    """[B, T, N, 768], normalised."""
    luma: Tensor
    """uint8 [B, T, N, 256]."""
    residual: Tensor
    """[B, T-1, N, 768], R of the GOP."""
    source: Tensor
    """int64 [B, T-1, N], M: the patch of the I-frame that a patch is predicted from; its own place where no motion is known."""


def as_patches(frames: Tensor) -> Tensor:
    """Return images [..., c, H, W] as patches [..., N, c x 256]."""
    *lead, c, H, W = frames.shape
    split = frames.reshape(*lead, c, H // PATCH, PATCH, W // PATCH, PATCH)
    at = len(lead)
    order = (*range(at), at + 1, at + 3, at, at + 2, at + 4)
    return split.permute(order).reshape(*lead, (H // PATCH) * (W // PATCH), c * PATCH * PATCH)


def clip_patches(clip: Clip, normalize: Normalize, options: Options) -> Patches:
    """Cut a batch of clips into patches.

    Raises:
        InputError: for frames of another size than the grid's, a single frame, or a clip without its GOP.
    """
    _check(clip, options)
    assert clip.residual is not None
    assert clip.index is not None
    assert clip.valid is not None
    frames = normalize(clip.frames)
    own = torch.arange(options.patches, device=clip.index.device)
    return Patches(
        frames=frames,
        pixels=as_patches(frames),
        luma=as_patches(luma(clip.frames)[:, :, None]),
        residual=as_patches((clip.residual / normalize.std).to(frames.dtype)),
        source=torch.where(clip.valid.flatten(2), clip.index.flatten(2), own),
    )


def _check(clip: Clip, options: Options) -> None:
    T, _, height, width = clip.frames.shape[1:]
    if (height, width) != options.pixels:
        raise InputError(
            "frames of another size than the position embedding's",
            where="method 'psformer', option grid",
            expected=f"{options.pixels[0]}x{options.pixels[1]} pixels",
            got=f"{height}x{width}",
            fix=f"Set clips.height and clips.width, or the option grid to [{height // PATCH}, {width // PATCH}]",
        )
    if T < 2:
        raise InputError("clip without a P-frame", where="method 'psformer'", expected="clips.frames of at least 2", got=T)
    absent = [name for name in ("index", "valid", "residual") if getattr(clip, name) is None]
    if absent:
        raise InputError("clip without its group of pictures", where="method 'psformer'", expected="a GOP", got=f"no {absent[0]}")
