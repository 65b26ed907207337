"""Which rows are whose: the bookkeeping of selected and missing patches. B clips, P P-frames each, F = B P, N patches.

Frames are numbered clip by clip. Counts come to the processor's side once per batch, so that no later step has to ask a GPU for
them; what depends on counts alone is computed there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reproid.models.psformer.pace import Pace
from reproid.models.psformer.warping import Missing


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Selected patches as rows, sorted by frame and then by patch."""

    counts: tuple[int, ...]
    """Selected patches per frame."""
    frame: Tensor
    """int64 [n], the frame of each row."""
    patch: Tensor
    """int64 [n], its place 0..N-1 in the frame."""

    def starts(self) -> np.ndarray:
        """Return each frame's first row, int64 [frames]."""
        return np.cumsum([0, *self.counts[:-1]])


def rows_of(mask: Tensor, kept: tuple[int, ...] | None) -> Rows:
    """Return the rows that a mask bool [frames, N] selects; ``kept`` are their counts, where they are known."""
    N = mask.shape[1]
    counts = tuple(mask.sum(dim=1).tolist()) if kept is None else kept
    flat = (~mask).flatten().to(torch.int8).argsort(stable=True)[: sum(counts)]
    return Rows(counts=counts, frame=flat // N, patch=flat % N)


def kept_counts(pace: Pace | None, clips: int) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Return the counts of the I-frames and of the P-frames of a batch, where they are fixed."""
    return (None, None) if pace is None else ((pace.kept[0],) * clips, pace.kept[1:] * clips)


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Some P-frames: their missing patches, and how both kinds of patches make a whole frame again."""

    missing: Missing
    selected: Tensor
    """int64, rows of the selected patches of these frames."""
    whole: Tensor
    """int64 [f N], where among the missing patches, and the selected ones behind them, each patch of the grid stands."""


def frames_of(frames: list[int], rows: Rows, p_frames: int, mask: Tensor, source: Tensor, residual: Tensor) -> Frames:
    """Return the bookkeeping of some P-frames.

    Args:
        frames: their numbers, rising.
        rows: the selected patches of all P-frames.
        p_frames: P.
        mask: bool [F, N], selected.
        source: int64 [F, N], the row of the I-frames' features [B N, D] that each patch is predicted from.
        residual: [F, N, 768].
    """
    N, device = mask.shape[1], mask.device
    kept = np.array([rows.counts[frame] for frame in frames])
    absent = N - kept
    clips, clip = np.unique(np.array(frames) // p_frames, return_inverse=True)
    U = int(absent.max(initial=0))
    chosen = torch.tensor(frames, device=device)
    # the unselected patches first, in their order
    order = mask[chosen].to(torch.int8).argsort(dim=1, stable=True)
    owner, rank = _ragged(absent)
    packed = torch.from_numpy(owner * N + rank).to(device)
    patch = order.flatten()[packed]
    at = torch.from_numpy(owner).to(device)
    own = chosen[at]
    first = np.cumsum(absent) - absent
    padded = np.minimum(first[:, None] + np.arange(U), max(int(absent.sum()) - 1, 0))
    own_selected, selected_rank = _ragged(kept)
    selected = torch.from_numpy(rows.starts()[frames][own_selected] + selected_rank).to(device)
    grid = torch.cat([at * N + patch, torch.from_numpy(own_selected).to(device) * N + rows.patch[selected]])
    return Frames(
        missing=Missing(
            source=source[own, patch],
            residual=residual[own, patch],
            rows=torch.from_numpy(padded).to(device),
            clips=torch.from_numpy(clips).to(device),
            clip=torch.from_numpy(clip).to(device),
            inverse=torch.from_numpy(owner * U + rank).to(device),
        ),
        selected=selected,
        whole=grid.argsort(),
    )


def _ragged(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for 0..count-1 of each count, whose number it is, and the number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
