"""Four descriptors whose scores are known beforehand, made from the labels of a clip or from the colours of its frames.

A random control must score what chance gives, an oracle 100 %: both check the evaluation. The camera alone must find nothing, for
matches are in other cameras. The histogram shows how far colour goes without any learning.

B clips, T frames of H x W pixels, D numbers per descriptor.
"""

import numpy as np
import torch
from torch import Tensor, nn

from reproid.clips.clip import Clip
from reproid.models.base import ClipModel, Output
from reproid.seeds import derive_seed

CODE = 64
"""D of the codes of names."""
LEVELS = 8
"""Levels per colour channel of the histogram: D = LEVELS ** 3."""
GREY = 0.45
"""Mean of each channel after the correction, of [0, 1]."""


class Control(ClipModel):
    """A descriptor without learning; its classifier lets it pass through the same training as every method.

    Args:
        kind: random, camera, histogram or oracle, as method.yaml says.
        classes: training persons.
    """

    def __init__(self, *, kind: str, classes: int) -> None:
        super().__init__()
        self.kind = kind
        self.embedding_dim = LEVELS**3 if kind == "histogram" else CODE
        # saved with the weights, so that a run's descriptors can be made again from its file alone
        self.register_buffer("key", torch.randint(2**62, ()))
        self.classifier = nn.Linear(self.embedding_dim, classes, bias=False)

    def forward(self, clip: Clip) -> Output:
        """Describe a batch of clips."""
        embedding = (self._histogram(clip) if self.kind == "histogram" else self._codes(clip)).to(self.classifier.weight)
        if not self.training:
            return Output(embedding=embedding)
        return Output(embedding=embedding, logits=(self.classifier(embedding),), features=(embedding,))

    def _histogram(self, clip: Clip) -> Tensor:
        return torch.stack([colour_histogram(frames) for frames in clip.frames])

    def _codes(self, clip: Clip) -> Tensor:
        names = {
            "random": [f"tracklet {name}" for name in clip.tracklet_id],
            "camera": [f"camera {camid}" for camid in clip.camid.tolist()],
            "oracle": [f"person {pid}" for pid in clip.pid.tolist()],
        }
        return torch.from_numpy(np.stack([self._code(name) for name in names[self.kind]]))

    def _code(self, name: str) -> np.ndarray:
        """Return a random direction [D] that belongs to a name: equal for equal names, else independent."""
        rng = np.random.default_rng(derive_seed(int(self.get_buffer("key")), "control", name))
        return rng.standard_normal(CODE)


def colour_histogram(frames: Tensor) -> Tensor:
    """Return the square root of the mean colour histogram of a clip, so that a cosine compares distributions (Hellinger).

    Each frame's channels are first scaled to one mean, which takes out the camera's exposure and most of its white balance.

    Args:
        frames: uint8 [T, 3, H, W].

    Returns:
        [LEVELS ** 3], of length 1.
    """
    values = frames.cpu().double()  # counting on a GPU is not deterministic, and this is cheap
    mean = values.mean(dim=(2, 3), keepdim=True).clamp(min=1.0)
    levels = (values * (GREY / mean * LEVELS)).long().clamp(max=LEVELS - 1)
    bins = (levels[:, 0] * LEVELS + levels[:, 1]) * LEVELS + levels[:, 2]
    return (torch.bincount(bins.flatten(), minlength=LEVELS**3).double() / bins.numel()).sqrt()
