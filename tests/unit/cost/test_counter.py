import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from reproid.clips.clip import Clip
from reproid.cost.counter import count_macs
from reproid.cost.timing import random_clip
from reproid.models.base import ClipModel, Output
from reproid.models.macs import ClipSize, Macs
from reproid.models.registry import create_model

SIZE = ClipSize(frames=2, height=32, width=32)


class OneLayer(ClipModel):
    """Passes frames [B, T, 3, H, W] through one layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, clip: Clip) -> Output:
        return Output(embedding=self.layer(clip.frames.flatten(0, 1).float()))


class Attend(nn.Module):
    """Attention of the 3 channels' rows to each other: 2 frames x 3 heads, N = 32 queries, d = 32."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return scaled_dot_product_attention(frames, frames[:, :, :8], frames[:, :, :8])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(3, 5, 3, padding=1), Macs(weights=2 * 32 * 32 * 5 * 3 * 9)),
        (nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), Macs(weights=2 * 16 * 16 * 6 * 1 * 9)),
        (nn.Linear(32, 7), Macs(weights=2 * 3 * 32 * 32 * 7)),
        (nn.Linear(32, 7, bias=False), Macs(weights=2 * 3 * 32 * 32 * 7)),
        (nn.LayerNorm(32), Macs(weights=0)),
        (Attend(), Macs(weights=0, attention=2 * 3 * 32 * 8 * (32 + 32))),
    ],
    ids=["convolution", "grouped-convolution", "linear", "linear-without-bias", "norm", "attention"],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_count_of_one_layer_is_the_product_of_its_sizes(layer: nn.Module, expected: Macs, device: str) -> None:
    assert count_macs(OneLayer(layer).to(device), random_clip(1, SIZE).to(device)) == expected


def test_count_of_attention_does_not_depend_on_the_kernel() -> None:
    model = create_model("vit", {"width": 24, "depth": 2, "heads": 3, "grid": [2, 2]}, classes=1, seed=0)
    clip = random_clip(1, SIZE)
    with sdpa_kernel(SDPBackend.MATH):
        plain = count_macs(model, clip)
    fused = count_macs(model, clip)
    assert fused == plain == count_macs(model.to("meta"), clip.to("meta"))
    assert fused.attention == 2 * 2 * 2 * 5**2 * 24  # frames x blocks x 2 N^2 D


def test_count_of_two_clips_is_twice_that_of_one() -> None:
    model = create_model("resnet50", {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8]}, classes=1, seed=0)
    assert count_macs(model, random_clip(2, SIZE)) == count_macs(model, random_clip(1, SIZE)) * 2
