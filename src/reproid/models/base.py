"""What every method is: a module from `Clip` to `Output`. Shapes: B clips, D numbers per descriptor."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from reproid.clips.clip import Clip


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a model makes of a batch of clips. In eval mode the embedding, the metrics and the maps alone are filled."""

    embedding: Tensor
    """[B, D], the descriptor used at test time."""
    logits: tuple[Tensor, ...] = ()
    """Each [B, classes]: cross-entropy is summed over them."""
    features: tuple[Tensor, ...] = ()
    """Each [B, some width]: the triplet loss is summed over them."""
    losses: dict[str, Tensor] = field(default_factory=dict)
    """The method's own terms by name, scalars, before their weights."""
    metrics: dict[str, Tensor] = field(default_factory=dict)
    """What else is worth a column of the history, by name: scalars without gradient, such as shares. A series has a number at the
    end of its names (kept_frame_1, kept_frame_2); ``stage`` tells the stage of a training that has several."""
    maps: dict[str, Tensor] = field(default_factory=dict)
    """What the method sees of each frame, by name, each [B, T, rows, columns]: a mask (bool) or a heat map. Reports draw it."""


class ClipModel(nn.Module, ABC):
    """A method's model."""

    embedding_dim: int
    """D."""

    @abstractmethod
    def forward(self, clip: Clip) -> Output:
        """Describe a batch of clips."""

    def __call__(self, clip: Clip) -> Output:
        """As `forward`; typed."""
        output = super().__call__(clip)
        assert isinstance(output, Output)
        return output

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Take up the training stage of an epoch, 0-based, of so many: called before its first batch, after a resume too."""

    def state_cost(self) -> None:
        """Fix what of a pass depends on its input at the shares that the options state: the cost is measured next."""

    def options_at(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        """Return the options that state the cost of a pass with these metrics; none where the cost depends on no decision."""
        return {}

    def load_pretrained(self, weights: Mapping[str, Tensor], where: object) -> None:
        """Start from a published checkpoint; the method decides which of its tensors it takes.

        Raises:
            InputError: if names or shapes are others than the model's.
        """
        raise AssertionError(f"{type(self).__name__} declares the option 'pretrained' but loads nothing")
