"""How well the eigenvector of Section III-C finds the person: its IoU with the mask that the renderer knows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproid.catalog.settings import Clips, Embed
from reproid.clips.datasets import TestClips
from reproid.datasets.index import Tracklet
from reproid.models.normalize import Normalize
from reproid.models.psformer.options import PATCH
from reproid.models.psformer.selection import Volume
from reproid.models.psformer.spectral import centre_prior, person_indicator
from reproid.synthetic.truth import decode_mask

Mask = NDArray[np.bool_]
Finder = Callable[[Tensor, list[Mask]], Tensor]
"""From the frames [T, 3, H, W] of a clip and their true masks to bool [T, h, w]; what is measured looks at the frames alone."""


@dataclass(frozen=True, kw_only=True)
class MaskedClips:
    """Test clips whose persons' masks are known."""

    tracklets: tuple[Tracklet, ...]
    data: Path
    """Folder of a synthetic set that was rendered with its truth."""
    frames: int
    """T."""

    def at(self, height: int, width: int) -> Iterator[tuple[Tensor, list[Mask]]]:
        """Yield the frames uint8 [T, 3, height, width] of each tracklet's first clip, and their true masks, unresized."""
        masks = self._masks()
        embed = Embed(frames=self.frames, max_clips=1)
        clips = TestClips(self.tracklets, data=self.data, clips=Clips(height=height, width=width), embed=embed)
        for item in range(len(clips)):
            tracklet, _, positions = clips.place(item)
            yield clips[item].frames, [masks[tracklet.tracklet_id, position] for position in positions]

    def _masks(self) -> dict[tuple[str, int], Mask]:
        wanted = {tracklet.tracklet_id: tracklet for tracklet in self.tracklets}
        table = pq.read_table(
            self.data / "truth/images.parquet",
            columns=["tracklet_id", "frame", "mask"],
            filters=[("tracklet_id", "in", list(wanted))],
        )
        return {
            (row["tracklet_id"], row["frame"]): decode_mask(
                row["mask"], height=wanted[row["tracklet_id"]].height, width=wanted[row["tracklet_id"]].width
            )
            for row in table.to_pylist()
        }


def mean_iou(clips: MaskedClips, grid: tuple[int, int], find: Finder) -> float:
    """Return the mean over all frames of the IoU of what is found and the true mask, pixel by pixel at the images' own size.

    A patch counts as a whole, as in the paper ("a binary mask using a threshold of 0"). Frames without the person
    are left out.

    Args:
        clips: frames and truth.
        grid: h and w; frames are resized to 16 h x 16 w.
        find: what is measured.
    """
    values = []
    for frames, masks in clips.at(PATCH * grid[0], PATCH * grid[1]):
        for found, mask in zip(find(frames, masks).numpy(), masks, strict=True):
            if mask.any():
                scale = (mask.shape[0] // grid[0], mask.shape[1] // grid[1])
                whole = found.repeat(scale[0], axis=0).repeat(scale[1], axis=1)
                values.append(float((whole & mask).sum() / (whole | mask).sum()))
    return float(np.mean(values))


def by_eigenvector(volume: Volume, grid: tuple[int, int], *, sign_of_truth: bool = False) -> Finder:
    """Return the finder of the paper: where y_1 of the 3D CNN's features is above 0.

    Args:
        volume: the 3D CNN.
        grid: h and w.
        sign_of_truth: let the mask choose each frame's sign: what a better sign rule could gain at most.
    """
    normalize = Normalize()

    @torch.no_grad()
    def find(frames: Tensor, masks: list[Mask]) -> Tensor:
        found = person_indicator(volume(normalize(frames[None])), grid)[0].view(-1, *grid) > 0
        if not sign_of_truth:
            return found
        truth = _shares(masks, grid)
        inside = (truth * found).sum(dim=(1, 2)) / truth.add(found).clamp(max=1).sum(dim=(1, 2))
        outside = (truth * ~found).sum(dim=(1, 2)) / truth.add(~found).clamp(max=1).sum(dim=(1, 2))
        return found ^ (outside > inside)[:, None, None]

    return find


def by_colour(grid: tuple[int, int]) -> Finder:
    """Return the same without a network: y_1 of the patches' own normalised pixels."""
    from reproid.models.psformer.patches import as_patches

    normalize = Normalize()
    return lambda frames, masks: person_indicator(as_patches(normalize(frames)), grid).view(-1, *grid) > 0


def by_place(grid: tuple[int, int]) -> Finder:
    """Return the control that sees no image: the middle, which is all that the sign rule knows."""
    middle = centre_prior(grid, torch.zeros(())).view(grid) > 0
    return lambda frames, masks: middle.expand(len(frames), *grid)


def by_truth(grid: tuple[int, int]) -> Finder:
    """Return the bound: the patches at least a third of which is the person, about the best that whole patches can do."""
    return lambda frames, masks: _shares(masks, grid) > 1 / 3


def _shares(masks: list[Mask], grid: tuple[int, int]) -> Tensor:
    """Return the person's share of each patch, [T, h, w]."""
    h, w = grid
    return torch.from_numpy(np.stack([m.reshape(h, m.shape[0] // h, w, m.shape[1] // w).mean(axis=(1, 3)) for m in masks]))
