"""A small model in float64 with weights that make every path matter, and clips with made-up groups of pictures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from reproid.clips.clip import Clip
from reproid.models.psformer.model import PSFormer
from reproid.models.psformer.patches import Patches, clip_patches
from reproid.models.registry import create_model

GRID, FRAMES, WIDTH, HEADS, DEPTH, LOCAL = (4, 3), 4, 8, 2, 3, (2, 3)
SMALL: dict[str, Any] = {
    "width": WIDTH,
    "depth": DEPTH,
    "heads": HEADS,
    "grid": list(GRID),
    "pretrained": None,
    "cnn_channels": [2, 3, 3, 4],
    "score_width": 6,
    "warp_width": 5,
    "local_grid": list(LOCAL),
}


def make_clip(clips: int = 2, frames: int = FRAMES) -> Clip:
    h, w = GRID
    generator = torch.Generator().manual_seed(5)
    shape = (clips, frames - 1, h, w)
    return Clip(
        frames=torch.randint(0, 256, (clips, frames, 3, 16 * h, 16 * w), dtype=torch.uint8, generator=generator),
        pid=torch.arange(clips) // 2,
        camid=torch.zeros(clips, dtype=torch.int64),
        n_real=torch.full((clips,), frames),
        tracklet_id=tuple(map(str, range(clips))),
        motion=torch.zeros(clips, frames - 1, 2, h, w),
        valid=torch.rand(shape, generator=generator) < 0.8,
        index=torch.randint(0, h * w, shape, generator=generator),
        residual=50 * torch.randn(clips, frames - 1, 3, 16 * h, 16 * w, generator=generator),
    )


def make_model(seed: int = 0, **options: Any) -> PSFormer:
    """Return a model whose weights are several times those of a fresh one: no term is too small to be seen."""
    model = create_model("psformer", SMALL | options, classes=3, seed=0).double()
    assert isinstance(model, PSFormer)
    rng = np.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters()):
        fan = parameter[0].numel() if parameter.ndim > 1 else 1
        spread = 1.5 / fan**0.5 if parameter.ndim > 1 else 0.3
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        parameter.data.copy_(torch.from_numpy(rng.normal(centre, spread, size=tuple(parameter.shape))))
    return model.eval()


@dataclass(frozen=True)
class Made:
    model: PSFormer
    clip: Clip
    patches: Patches

    def numpy(self, at: int) -> dict[str, np.ndarray[Any, Any]]:
        """Return a clip as the reference takes it."""
        assert self.clip.residual is not None
        return {
            "bytes": self.clip.frames[at].numpy(),
            "pixels": self.model.normalize(self.clip.frames[at]).numpy(),
            "residual": (self.clip.residual[at].double() / self.model.normalize.std).numpy(),
            "source": self.patches.source[at].numpy(),
        }

    def weights(self, part: str) -> dict[str, np.ndarray[Any, Any]]:
        return {name: value.numpy() for name, value in self.model.get_submodule(part).state_dict().items()}


def make(seed: int = 0, **options: Any) -> Made:
    model = make_model(seed, **options)
    clip = make_clip()
    return Made(model, clip, clip_patches(clip, model.normalize, model.options))
