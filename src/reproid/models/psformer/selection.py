"""Patch selection (Section IV-B, Algorithm 1). B clips, T frames, P = T-1 P-frames, N patches of 768 numbers, C features.

Every input of the score but the progressive residual is the same whatever was selected before: it passes the first layer of
W_sel for all frames at once, and only the residual's part runs frame after frame, for all clips of the batch together.

What the print leaves open: while nothing is selected, R is the residual against a patch of the mean colour, or nothing
(``empty_set``). Without the rule that keeps the I-frame whole, its patches are scored like the others, with N against the mean
colour, and the best one is always kept.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu

from reproid.models.psformer.matching import closest
from reproid.models.psformer.options import PATCH, Options
from reproid.models.psformer.pace import Pace
from reproid.models.psformer.patches import Patches
from reproid.models.psformer.spectral import person_indicator

PIXELS = 3 * PATCH * PATCH
STRIDES = (4, 2, 2, 1)
"""Of the 3D CNN's layers over height and width: 16 in all."""


@dataclass(frozen=True, kw_only=True)
class Selected:
    """What was selected, frame by frame; the I-frame is frame 0."""

    mask: Tensor
    """bool [B, T, N]."""
    gate: Tensor
    """[B, T, N]: 1 where selected; its gradient is that of Eq. 1 (in training alone)."""
    score: Tensor
    """[B, T, N], s without noise; of the I-frame 0 where it is kept whole."""
    indicator: Tensor | None
    """[B, T, N], y_1; None without enhancement."""


def saturating_sigmoid(score: Tensor) -> Tensor:
    """Return d of Eq. 1."""
    return (1.2 * torch.sigmoid(score) - 0.1).clamp(min=0, max=1)


def straight_through(score: Tensor) -> Tensor:
    """Return the binary b of a score; its gradient is that of Eq. 1."""
    d = saturating_sigmoid(score)
    return (score > 0).to(score.dtype) + (d - d.detach())


def highest(values: Tensor, count: int) -> Tensor:
    """Return a mask [..., n] of the ``count`` highest values [..., n]."""
    places = values.topk(count, dim=-1).indices
    return torch.zeros_like(values, dtype=torch.bool).scatter(-1, places, torch.ones_like(places, dtype=torch.bool))


class Volume(nn.Module):
    """The shallow 3D CNN: four layers, ReLU between them, one feature vector per patch and frame.

    Args:
        channels: of the layers.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        widths = (3, *channels)
        self.layers = nn.ModuleList(
            nn.Conv3d(a, b, (3, 4, 4) if stride == 4 else 3, (1, stride, stride), (1, 0, 0) if stride == 4 else 1)
            for a, b, stride in zip(widths[:-1], widths[1:], STRIDES, strict=True)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Return F [B, T, N, C] of frames [B, T, 3, H, W]."""
        x = frames.transpose(1, 2)
        for number, layer in enumerate(self.layers):
            x = layer(relu(x) if number else x)
        return x.flatten(3).permute(0, 2, 3, 1)


class PatchSelection(nn.Module):
    """Scores the patches of the P-frames and selects those above 0.

    Args:
        options: the method's.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.volume = Volume(options.cnn_channels) if options.semantics else None
        parts = (options.novelty, options.semantics, options.progressive)
        widths = (PIXELS, options.cnn_channels[-1], PIXELS)
        self.static = sum(width for part, width in zip(parts[:2], widths[:2], strict=True) if part)
        hidden = options.score_width
        self.score = nn.Sequential(
            nn.Linear(self.static + PIXELS * options.progressive, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )
        nn.init.constant_(self.score[-1].bias, options.score_bias)  # type: ignore[arg-type]

    def forward(self, patches: Patches, pace: Pace | None = None) -> Selected:
        """Select from a batch of clips.

        Args:
            patches: the clips.
            pace: fixed counts, to state costs.
        """
        B, T, N = patches.pixels.shape[:3]
        first = int(self.options.whole_i_frame)  # the first frame that is scored
        static, indicator = self._static(patches, first)
        masks = [torch.ones_like(patches.source[:, 0], dtype=torch.bool)] * first
        scores = [patches.pixels.new_zeros(B, N)] * first
        gates = [patches.pixels.new_ones(B, N)] * first
        chosen = _Chosen(patches)
        for t in range(first, T):
            hidden = static[:, t - first]
            if self.options.progressive:
                R = self._progressive(patches, chosen, t)
                hidden = hidden + linear(R, self._first().weight[:, self.static :])
            score = self.score[1:](hidden)[..., 0]
            noisy = score + torch.randn_like(score) if self.training else score
            mask = noisy > 0 if pace is None else highest(noisy, pace.kept[t])
            if t == 0:
                mask = mask | highest(noisy, 1)
            masks.append(mask)
            scores.append(score)
            gates.append(straight_through(noisy))
            if self.options.progressive and t > 0:
                chosen.add(mask, t, None if pace is None else pace.kept[t])
        return Selected(
            mask=torch.stack(masks, dim=1),
            gate=torch.stack(gates, dim=1),
            score=torch.stack(scores, dim=1),
            indicator=indicator,
        )

    def _first(self) -> nn.Linear:
        layer = self.score[0]
        assert isinstance(layer, nn.Linear)
        return layer

    def _static(self, patches: Patches, first: int) -> tuple[Tensor, Tensor | None]:
        """Return W_sel's first layer of N and S [B, frames, N, hidden], of the frames from ``first`` on, and y_1 [B, T, N]."""
        parts, indicator = [], None
        if self.options.novelty:
            parts.append(torch.cat([patches.pixels[:, first:1], patches.residual], dim=1))
        if self.volume is not None:
            features = self.volume(patches.frames)
            if self.options.enhancement:
                indicator = person_indicator(features.detach(), (self.options.grid[0], self.options.grid[1]))
                features = features * indicator[..., None]
            parts.append(features[:, first:])
        layer = self._first()
        if not parts:
            B, T, N = patches.pixels.shape[:3]
            return layer.bias.expand(B, T - first, N, -1), indicator
        return linear(torch.cat(parts, dim=-1), layer.weight[:, : self.static], layer.bias), indicator

    def _progressive(self, patches: Patches, chosen: "_Chosen", t: int) -> Tensor:
        """Return R of frame t, [B, N, 768]."""
        match, found = chosen.closest(patches.luma[:, t])
        R = patches.pixels[:, t] - match
        if self.options.empty_set == "mean":  # the mean colour is 0, and so is what stands for a patch where nothing was found
            return R
        return R * found[:, None, None]


class _Chosen:
    """The growing set of selected patches, one list per clip; S places, as many as the fullest clip has."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        B = len(patches.pixels)
        self._at = patches.source.new_zeros(B, 0)
        """[B, S], which patch of the whole clip (t N + n) each place holds."""
        self._count = patches.source.new_zeros(B)

    def add(self, mask: Tensor, t: int, at_most: int | None) -> None:
        """Append the selected patches of frame t; mask bool [B, N]. ``at_most`` spares the question how many there are."""
        N = mask.shape[1]
        count = mask.sum(dim=1)
        longest = int(count.max()) if at_most is None else at_most
        # selected patches first, in their order
        places = (~mask).to(torch.int8).argsort(dim=1, stable=True)[:, :longest] + t * N
        old = self._at.shape[1]
        merged = torch.cat([self._at, places], dim=1)
        filled = torch.arange(merged.shape[1], device=mask.device)
        valid = torch.where(filled < old, filled < self._count[:, None], filled - old < count[:, None])
        self._at = merged.gather(1, (~valid).to(torch.int8).argsort(dim=1, stable=True))
        self._count = self._count + count

    def closest(self, luma: Tensor) -> tuple[Tensor, Tensor]:
        """Return the closest patches' pixels [B, N, 768], 0 while there is none, and whether there is one, bool [B]."""
        pixels = self._patches.pixels.flatten(1, 2)
        if self._at.shape[1] == 0:
            return pixels.new_zeros(()), torch.zeros_like(self._count, dtype=torch.bool)
        clip = torch.arange(len(self._at), device=self._at.device)[:, None]
        store = self._patches.luma.flatten(1, 2)[clip, self._at]
        place = closest(luma, store, self._count) if not luma.is_meta else self._at.new_zeros(luma.shape[:2])
        found = self._count > 0
        return pixels[clip, self._at.gather(1, place)] * found[:, None, None], found
