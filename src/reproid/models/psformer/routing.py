"""The gate of dynamic routing (Section IV-C2, Eq. 5): which P-frames get the refined context in a block.

The decision is a comparison and has no gradient; that the distance means an error is what Eq. 6 teaches.
"""

import torch
from torch import Tensor

from reproid.models.psformer.options import Options
from reproid.models.psformer.pace import Pace, is_periodic
from reproid.models.psformer.warping import GlobalWarp, cosine_distance


def error_distance(warp: GlobalWarp, now: Tensor, before: Tensor, image_now: Tensor, image_before: Tensor) -> Tensor:
    """Return c of each P-frame, [B, P].

    Args:
        warp: the networks of Eq. 3 and 4.
        now: C^P of this layer, [B, P, D].
        before: C^P of the layer before, [B, P, D].
        image_now: C^I of this layer, [B, D].
        image_before: C^I of the layer before, [B, D].
    """
    image_now, image_before = image_now[:, None].expand_as(now), image_before[:, None].expand_as(now)
    return cosine_distance(warp.reverse(now, before, image_before), image_now)


class Gate:
    """Decides block by block; the ways beside the paper's are the rows of Table VII.

    Args:
        options: the method's.
        threshold: s.
        training: random draws anew for each clip in training; a test has one fixed pattern, so that a descriptor repeats.
        pace: fixed counts, to state costs.
    """

    def __init__(self, options: Options, *, threshold: float, training: bool, pace: Pace | None) -> None:
        self._options, self._threshold, self._training, self._pace = options, threshold, training, pace

    def opened(self, block: int, distance: Tensor) -> list[int]:
        """Return the frames, 0..B P - 1, whose gate is open in a block, from the distances [B, P]; waits for a GPU."""
        B, P = distance.shape
        if self._pace is not None:
            return [clip * P + frame for clip in range(B) for frame in self._pace.opened[block]]
        opened: list[int] = self._mask(block, distance).flatten().nonzero()[:, 0].tolist()
        return opened

    def _mask(self, block: int, distance: Tensor) -> Tensor:
        options = self._options
        if options.gate == "error":
            return distance > self._threshold
        if options.gate == "periodic":
            return torch.full_like(distance, is_periodic(block, options.gate_period), dtype=torch.bool)
        if options.gate == "random":
            if self._training:
                return torch.rand_like(distance) < options.gate_rate
            draws = torch.rand(options.depth, distance.shape[1], generator=torch.Generator().manual_seed(0))
            return (draws[block] < options.gate_rate).to(distance.device).expand_as(distance)
        raise AssertionError(options.gate)
