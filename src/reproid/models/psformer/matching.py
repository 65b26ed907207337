"""The closest patch among those selected so far, by the sum of absolute differences of luma, as H.264's encoders search.

Shapes: B clips, N patches of a frame, S places in the store of selected patches, 256 = 16 x 16 pixels.

`reproid.gop.similarity.PatchSet` answers the same question over three channels, and measures against every patch of every frame
before it masks the unselected ones. Here the store holds the selected ones alone, one channel of bytes: 8 clips of 8 frames at
the paper's size and kept share take 8 ms of one core, and 1.7 s there. Neither has a gradient: what is found is a place.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor


def luma(frames: Tensor) -> Tensor:
    """Return the luma of RGB frames uint8 [..., 3, H, W] as uint8 [..., H, W], by BT.601 in integers."""
    red, green, blue = frames.unbind(dim=-3)
    return ((77 * red.int() + 150 * green.int() + 29 * blue.int()) >> 8).to(torch.uint8)


def closest(patches: Tensor, store: Tensor, count: Tensor) -> Tensor:
    """Return for each patch the place of the store that it differs least from, the first of equals; int64 [B, N].

    Args:
        patches: uint8 [B, N, 256].
        store: uint8 [B, S, 256]; what lies behind the first ``count`` is not looked at.
        count: int64 [B], selected so far; 0 gives place 0.
    """
    if patches.device.type == "cpu":
        found = torch.zeros(patches.shape[:2], dtype=torch.int64)
        _search(patches.contiguous().numpy(), store.contiguous().numpy(), count.numpy(), found.numpy())
        return found
    distance = torch.stack([_distances(one, places) for one, places in zip(patches, store, strict=True)])
    absent = torch.arange(store.shape[1], device=count.device) >= count[:, None]
    return distance.masked_fill(absent[:, None, :], 1 << 20).argmin(dim=2)


def _distances(patches: Tensor, store: Tensor) -> Tensor:
    """Return the sums of absolute differences int32 [N, S]; clip by clip, for the differences take N x S x 256 numbers."""
    return (patches[:, None, :].short() - store[None, :, :].short()).abs().sum(dim=2, dtype=torch.int32)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _search(patches: Any, store: Any, count: Any, found: Any) -> None:
    for b in range(patches.shape[0]):
        for n in range(patches.shape[1]):
            best = 1 << 20
            for s in range(count[b]):
                total: Any = np.int32(0)
                for i in range(patches.shape[2]):
                    total += np.int32(abs(np.int32(patches[b, n, i]) - np.int32(store[b, s, i])))
                if total < best:
                    best = total
                    found[b, n] = s
