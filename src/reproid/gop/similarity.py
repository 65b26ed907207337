"""How alike patches are, "by the same method as H.264" (PSFormer, Sec. IV-B2, footnote 2): SAD and SATD, against a growing set.

B clips, N patches, S patches in the set, D = 3 x 16 x 16 values per patch. Distances are whole numbers, the same on every device.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reproid.gop.motion import BLOCK

Measure = Literal["sad", "satd"]
_SIDE = 4
"""Side of the blocks that H.264 transforms."""


def patches_of(frames: Tensor) -> Tensor:
    """Return the patches of frames, row by row: [..., 3, H, W] -> [..., N, 3, 16, 16], N = (H // 16) * (W // 16)."""
    rows, columns = frames.shape[-2] // BLOCK, frames.shape[-1] // BLOCK
    leading, channels = frames.shape[:-3], frames.shape[-3]
    whole = frames[..., : rows * BLOCK, : columns * BLOCK]
    split = whole.reshape(*leading, channels, rows, BLOCK, columns, BLOCK).movedim((-4, -2), (-5, -4))
    return split.reshape(*leading, rows * columns, channels, BLOCK, BLOCK)


def hadamard(patches: Tensor) -> Tensor:
    """Return the 4 x 4 Hadamard transform of every 4 x 4 block, unnormalised.

    Args:
        patches: [..., 16, 16], whole numbers.

    Returns:
        float32 of the same shape.
    """
    two = torch.tensor([[1.0, 1.0], [1.0, -1.0]], device=patches.device)
    matrix = torch.kron(two, two)
    leading, (height, width) = patches.shape[:-2], patches.shape[-2:]
    blocks = patches.float().reshape(*leading, height // _SIDE, _SIDE, width // _SIDE, _SIDE).transpose(-3, -2)
    return (matrix @ blocks @ matrix).transpose(-3, -2).reshape(patches.shape)


def patch_distances(patches: Tensor, others: Tensor, *, measure: Measure = "satd") -> Tensor:
    """Return the distance of every patch to every other one.

    SAD is the sum of absolute differences; SATD that of the difference's 4 x 4 Hadamard transforms, halved, as encoders take
    it. The transform being linear, each patch is transformed once.

    Args:
        patches: uint8 [..., N, 3, 16, 16].
        others: uint8 [..., S, 3, 16, 16], the same leading sizes.
        measure: ``sad`` or ``satd``.

    Returns:
        float32 [..., N, S], whole numbers.

    Raises:
        ValueError: if there is no such measure.
    """
    return _distances(_vectors(patches, measure), _vectors(others, measure), measure)


def _vectors(patches: Tensor, measure: Measure) -> Tensor:
    if measure not in ("sad", "satd"):
        raise ValueError(f"measure must be 'sad' or 'satd', got {measure!r}")
    return (patches.float() if measure == "sad" else hadamard(patches)).flatten(-3)


def _distances(vectors: Tensor, others: Tensor, measure: Measure) -> Tensor:
    distances = torch.cdist(vectors, others, p=1.0)
    return distances if measure == "sad" else distances / 2


@dataclass(frozen=True, kw_only=True)
class Match:
    """The most alike patch of a set, for each of N patches of B clips."""

    distance: Tensor
    """float32 [B, N]; infinite where the clip's set is empty."""
    place: Tensor
    """int64 [B, N]: which of all patches given to `PatchSet.add`, the first of equally alike ones; -1 where none is."""
    residual: Tensor
    """float32 [B, N, 3, 16, 16], -255..255: the patch minus the matched one (PSFormer, Sec. IV-B2), or minus nothing."""


class PatchSet:
    """The patches selected so far of B clips: it grows frame by frame, by other patches in each clip (PSFormer, Algorithm 1).

    Args:
        clips: B.
        measure: ``sad`` or ``satd``.
    """

    def __init__(self, clips: int, *, measure: Measure = "satd") -> None:
        self._clips, self._measure = clips, measure
        self._patches: list[Tensor] = []
        self._vectors: list[Tensor] = []
        self._selected: list[Tensor] = []

    def add(self, patches: Tensor, selected: Tensor) -> None:
        """Add the selected patches of a frame.

        Args:
            patches: uint8 [B, N, 3, 16, 16].
            selected: bool [B, N].
        """
        self._patches.append(patches)
        self._vectors.append(_vectors(patches, self._measure))
        self._selected.append(selected)

    def nearest(self, patches: Tensor) -> Match:
        """Return for every patch the most alike one of its clip's set.

        Args:
            patches: uint8 [B, N, 3, 16, 16].
        """
        distance = torch.full(patches.shape[:2], torch.inf, device=patches.device)
        place = torch.full(patches.shape[:2], -1, device=patches.device)
        match = torch.zeros_like(patches, dtype=torch.float32)
        vectors, start = _vectors(patches, self._measure), 0
        clip = torch.arange(self._clips, device=patches.device)[:, None]
        for others, theirs, selected in zip(self._patches, self._vectors, self._selected, strict=True):
            to_each = _distances(vectors, theirs, self._measure).masked_fill(~selected[:, None], torch.inf)
            which = to_each.argmin(dim=-1)  # the first of equals
            least = to_each.gather(-1, which[..., None]).squeeze(-1)
            better = least < distance
            distance, place = torch.where(better, least, distance), torch.where(better, start + which, place)
            match = torch.where(better[..., None, None, None], others[clip, which].float(), match)
            start += others.shape[1]
        return Match(distance=distance, place=place, residual=patches.float() - match)
