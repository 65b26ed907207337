"""What a group of pictures is worth: how much the warped I-frame leaves over, and how many blocks have no vector of their own."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from reproid.gop import METHODS, Extractor
from reproid.gop.result import GroupOfPictures


@dataclass(frozen=True, kw_only=True)
class ClipStatistics:
    """Of one clip, over its P-frames that are not repeated ones; all are 0 where it has none."""

    p_frames: int
    intra: float
    """Share of blocks without a vector of their own: intra-coded, or out of range (0-1)."""
    energy: float
    """Mean square of the residual, 0-255^2: over pixels and channels."""
    energy_still: float
    """The same for P minus I: zero motion."""
    motion_px: float
    """Mean length of the vectors, pixels."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Of many clips, every P-frame weighing the same."""

    clips: int
    p_frames: int
    intra: float
    psnr_db: float | None
    """10 log10(255^2 / mean energy): of the warped I-frame against the P-frame; None where nothing is left over."""
    psnr_still_db: float | None
    """Of the I-frame itself."""
    motion_px: float


def clip_statistics(found: GroupOfPictures, n_real: int) -> ClipStatistics:
    """Return the statistics of a clip whose first ``n_real`` frames are different ones."""
    p_frames = n_real - 1
    if p_frames < 1:
        return ClipStatistics(p_frames=0, intra=0.0, energy=0.0, energy_still=0.0, motion_px=0.0)
    still = found.frames[1:n_real].float() - found.frames[0].float()
    return ClipStatistics(
        p_frames=p_frames,
        intra=1 - _mean(found.valid[:p_frames]),
        energy=_mean(found.residual[:p_frames].square()),
        energy_still=_mean(still.square()),
        motion_px=_mean(torch.linalg.vector_norm(found.motion[:p_frames].double(), dim=1)),
    )


def pooled(clips: Iterable[ClipStatistics]) -> Quality:
    """Return the means over the P-frames of ``clips``."""
    counted = [clip for clip in clips if clip.p_frames]
    total = sum(clip.p_frames for clip in counted)

    def mean(name: str) -> float:
        return math.fsum(getattr(clip, name) * clip.p_frames for clip in counted) / total if total else 0.0

    return Quality(
        clips=len(counted),
        p_frames=total,
        intra=round(mean("intra"), 6),
        psnr_db=_psnr(mean("energy")),
        psnr_still_db=_psnr(mean("energy_still")),
        motion_px=round(mean("motion_px"), 4),
    )


def compare_methods(clips: Sequence[tuple[Tensor, int]]) -> dict[str, dict[str, float | int | None]]:
    """Return the `Quality` of every motion method on the same clips: each uint8 [T, 3, H, W], and its n_real."""
    found: dict[str, dict[str, float | int | None]] = {}
    for method in METHODS:
        extract = Extractor(method)
        found[method] = asdict(pooled(clip_statistics(extract(frames.permute(0, 2, 3, 1)), real) for frames, real in clips))
    return found


def _mean(values: Tensor) -> float:
    return float(values.double().mean())


def _psnr(energy: float) -> float | None:
    return round(10 * math.log10(255**2 / energy), 4) if energy > 0 else None
