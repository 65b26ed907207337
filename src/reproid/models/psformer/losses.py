"""The method's own losses: the error constraint (Eq. 6) and, off by default, the budget of selected patches."""

import torch
from torch import Tensor
from torch.nn.functional import relu

from reproid.models.psformer.selection import straight_through
from reproid.models.psformer.warping import GlobalWarp, cosine_distance


def noisy_distances(warp: GlobalWarp, now: Tensor, before: Tensor, alpha: Tensor, noise: Tensor) -> Tensor:
    """Return c [..., S]: how far the I-frame's context, rebuilt from noisy versions of itself, is from the actual one.

    Args:
        warp: the networks of Eq. 3 and 4.
        now: C^I of this layer, [..., D].
        before: C^I of the layer before, [..., D].
        alpha: shares of noise, [..., S].
        noise: [..., S, D].
    """
    now, before = now[..., None, :].expand_as(noise), before[..., None, :].expand_as(noise)
    noisy = (1 - alpha[..., None]) * now + alpha[..., None] * noise
    return cosine_distance(warp.warp(warp.evolution(noisy, before), before), now)


def order_loss(distance: Tensor) -> Tensor:
    """Return Eq. 6 of distances [..., S] in the order of rising noise: each pair in the wrong order costs its difference."""
    pairs = relu(distance[..., :, None] - distance[..., None, :])
    S = distance.shape[-1]
    later = torch.ones(S, S, dtype=torch.bool, device=distance.device).triu(diagonal=1)
    return (pairs * later).sum(dim=(-2, -1))


def error_loss(warp: GlobalWarp, contexts: list[Tensor], samples: int) -> Tensor:
    """Return the error constraint: summed over the layers, averaged over the clips.

    Args:
        warp: the networks of Eq. 3 and 4.
        contexts: C^I of layer 0, 1, ... L, each [B, D].
        samples: S.
    """
    now, before = torch.stack(contexts[1:], dim=1), torch.stack(contexts[:-1], dim=1)
    B, layers, D = now.shape
    alpha = torch.rand(B, layers, samples, dtype=now.dtype, device=now.device).sort(dim=-1).values
    noise = torch.randn(B, layers, samples, D, dtype=now.dtype, device=now.device)
    return order_loss(noisy_distances(warp, now, before, alpha, noise)).sum(dim=1).mean()


def budget_loss(score: Tensor, share: float) -> Tensor:
    """Return the squared distance of the share of P-frame patches that a test would keep from the one that is wanted.

    Args:
        score: s of the P-frames' patches, without noise; the share's gradient is that of Eq. 1.
        share: wanted.
    """
    return (straight_through(score).mean() - share).square()
