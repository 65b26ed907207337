"""Whether the gate's distance grows with noise (what Eq. 6 asks for), and what it measures of real frames."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from reproid.clips.clip import Clip
from reproid.models.psformer.losses import noisy_distances
from reproid.models.psformer.model import PSFormer
from reproid.models.psformer.patches import clip_patches

LEVELS = 11
"""Shares of noise, 0 to 1 in equal steps."""


@dataclass(frozen=True, kw_only=True)
class GateErrors:
    """The distance c of Eq. 5 between the I-frame's context and what the warp rebuilds from a noisy one."""

    correlation: float
    """Spearman's, of c and the share of noise; of each clip and block, then the mean."""
    rising: float
    """Share of the pairs of noise levels in which the noisier one has the larger c: what Eq. 6 counts."""
    clean: float
    """Mean c without noise."""
    noise: float
    """Mean c of noise alone."""
    kept: float
    """Share of the P-frames' patches that are kept."""
    opened: float
    """Share of open gates."""


@torch.no_grad()
def gate_errors(model: PSFormer, clips: Iterable[Clip], *, seed: int = 0) -> GateErrors:
    """Measure a model in eval mode on test clips."""
    assert model.encoder is not None
    assert model.selection is not None
    assert model.encoder.global_warp is not None
    generator = torch.Generator().manual_seed(seed)
    curves, kept, opened = [], [], []
    for clip in clips:
        patches = clip_patches(clip, model.normalize, model.options)
        selected = model.selection(patches)
        encoded = model.encoder(patches, selected, threshold=model.threshold)
        curves.append(_curves(model, encoded.contexts, generator))
        frames = clip.frames.shape[0] * (clip.frames.shape[1] - 1)
        kept.append(float(selected.mask[:, 1:].float().mean()))
        opened.append(float(np.mean(encoded.opened)) / frames)
    c = torch.cat(curves).flatten(0, 1).double().numpy()
    first, second = np.triu_indices(LEVELS, 1)
    return GateErrors(
        correlation=float(np.mean([_spearman(row) for row in c])),
        rising=float((c[:, second] > c[:, first]).mean()),
        clean=float(c[:, 0].mean()),
        noise=float(c[:, -1].mean()),
        kept=float(np.mean(kept)),
        opened=float(np.mean(opened)),
    )


def _curves(model: PSFormer, contexts: list[Tensor], generator: torch.Generator) -> Tensor:
    """Return c [B, L, LEVELS]; a level's noise is drawn anew, as in Eq. 6."""
    assert model.encoder is not None
    assert model.encoder.global_warp is not None
    now, before = torch.stack(contexts[1:], dim=1), torch.stack(contexts[:-1], dim=1)
    B, blocks, width = now.shape
    alpha = torch.linspace(0, 1, LEVELS).expand(B, blocks, LEVELS)
    noise = torch.randn(B, blocks, LEVELS, width, generator=generator)
    return noisy_distances(model.encoder.global_warp, now, before, alpha, noise)


def _spearman(values: np.ndarray) -> float:
    """Return the rank correlation of values with their order; 0 where all are equal."""
    ranks = rankdata(values)
    if np.ptp(ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])
