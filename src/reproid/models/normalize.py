"""Bytes to normalised floats, the first layer of every model."""

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalize(nn.Module):
    """Maps frames uint8 [..., 3, H, W] to (x / 255 - mean) / std, float32, per channel; ImageNet's constants by default."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, float, float] = IMAGENET_MEAN, std: tuple[float, float, float] = IMAGENET_STD) -> None:
        super().__init__()
        # not persistent: constants are no weights
        self.register_buffer("mean", 255 * torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Normalise frames."""
        return (frames - self.mean) / self.std
