"""A method for tests: colours, motion and residuals of a clip, averaged and passed through one linear layer."""

from typing import Any

import torch
from torch import nn

from reproid.clips.clip import Clip
from reproid.models.base import ClipModel, Output


class Moving(ClipModel):
    embedding_dim = 6

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.mix = nn.Linear(10, self.embedding_dim)
        self.classify = nn.Linear(self.embedding_dim, classes)

    def forward(self, clip: Clip) -> Output:
        assert clip.motion is not None
        assert clip.valid is not None
        assert clip.index is not None
        assert clip.residual is not None
        B, T, _, H, W = clip.frames.shape
        h, w = H // 16, W // 16
        assert clip.motion.shape == (B, T - 1, 2, h, w)
        assert clip.valid.shape == clip.index.shape == (B, T - 1, h, w)
        assert clip.residual.shape == (B, T - 1, 3, H, W)
        parts = (
            clip.frames.float().mean((1, 3, 4)) / 255,
            clip.motion.mean((1, 3, 4)) / 16,
            clip.valid.float().mean((1, 2, 3))[:, None],
            clip.index.float().mean((1, 2, 3))[:, None] / (h * w),
            clip.residual.abs().mean((1, 3, 4)) / 255,
        )
        embedding = self.mix(torch.cat(parts, 1))
        if not self.training:
            return Output(embedding=embedding)
        return Output(embedding=embedding, logits=(self.classify(embedding),), features=(embedding,))


def build(options: dict[str, Any], *, classes: int) -> ClipModel:
    return Moving(classes)
