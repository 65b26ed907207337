"""What layers multiply and add, by hand: plain arithmetic, no torch. A method's folder holds its formula, ``macs.py``.

A multiply-accumulate (MAC) is half of what is called a FLOP. Biases, norms, activations and pooling are not counted.
"""

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ClipSize:
    """One clip: T frames of height x width pixels."""

    frames: int
    height: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Macs:
    """Multiply-accumulates of one clip."""

    weights: int
    """Products with weights: convolutions and linear layers."""
    attention: int = 0
    """Products of two activations: queries with keys, and attention with values."""

    @property
    def total(self) -> int:
        """Both together."""
        return self.weights + self.attention

    def __add__(self, other: "Macs") -> "Macs":
        return Macs(weights=self.weights + other.weights, attention=self.attention + other.attention)

    def __mul__(self, times: int) -> "Macs":
        return Macs(weights=times * self.weights, attention=times * self.attention)


def attention(tokens: int, width: int) -> Macs:
    """Return the MACs of self-attention over N tokens of D numbers: 4 N D^2 for the projections, 2 N^2 D for the products."""
    return Macs(weights=4 * tokens * width**2, attention=2 * tokens**2 * width)


def formula_of(method: str, options: dict[str, Any], size: ClipSize) -> Macs:
    """Return what one clip costs at test time by the hand-derived formula of a method, without the classifier.

    Args:
        method: a folder of reproid.models with a macs.py.
        options: the method's options, complete.
        size: the clip.
    """
    found = importlib.import_module(f"reproid.models.{method}.macs").macs(options, size)
    assert isinstance(found, Macs)
    return found
