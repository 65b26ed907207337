"""PSFormer's options as a record; what each means stands in method.yaml."""

from dataclasses import dataclass, fields
from typing import Any

from reproid.errors import InputError

PATCH = 16
"""Height and width of a patch: that of the motion vectors."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of method.yaml, but for ``pretrained``, which the registry reads."""

    width: int
    depth: int
    heads: int
    mlp_ratio: float
    qkv_bias: bool
    grid: tuple[int, ...]
    neck: bool
    selection: str
    whole_i_frame: bool
    novelty: bool
    semantics: bool
    enhancement: bool
    progressive: bool
    empty_set: str
    cnn_channels: tuple[int, ...]
    score_width: int
    score_bias: float
    budget: float
    context: str
    gate: str
    threshold: float
    test_threshold: float
    gate_period: int
    gate_rate: float
    warp_width: int
    context_of: str
    local_grid: tuple[int, ...]
    error_samples: int
    first_stage: float
    stated_kept: float
    stated_kept_i: float
    stated_gate: float

    def __post_init__(self) -> None:
        for name in ("width", "depth", "heads", "score_width", "gate_period", "warp_width"):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        self._check("error_samples", self.error_samples >= 2, "at least 2")
        for name in ("budget", "gate_rate", "stated_kept", "stated_kept_i", "stated_gate"):
            self._check(name, 0 <= getattr(self, name) <= 1, "0 to 1")
        self._check("first_stage", 0 <= self.first_stage < 1, "at least 0 and below 1: the second stage is the model")
        for name in ("threshold", "test_threshold"):
            self._check(name, 0 <= getattr(self, name) <= 2, "a cosine distance, 0 to 2")
        self._check("heads", self.width % self.heads == 0, f"a divisor of the width {self.width}")
        for name in ("grid", "local_grid"):
            value = getattr(self, name)
            self._check(name, len(value) == 2 and min(value) >= 1, "rows and columns, each at least 1")
        fits = self.grid[0] % self.local_grid[0] == 0 and self.grid[1] % self.local_grid[1] == 0
        self._check("local_grid", fits, f"divisors of the grid {list(self.grid)}")
        channels = self.cnn_channels
        self._check("cnn_channels", len(channels) == 4 and min(channels) >= 1, "four numbers, each at least 1")
        seen = self.novelty or self.semantics or self.progressive
        self._check(
            "novelty", self.selection == "all" or seen, "one of novelty, semantics and progressive: a score needs an input"
        )

    def _check(self, name: str, good: bool, expected: str) -> None:
        if not good:
            got = getattr(self, name)
            where = f"method 'psformer', option {name}"
            raise InputError("out of range", where=where, expected=expected, got=list(got) if isinstance(got, tuple) else got)

    @property
    def patches(self) -> int:
        """N."""
        return self.grid[0] * self.grid[1]

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of the frames."""
        return self.grid[0] * PATCH, self.grid[1] * PATCH


def read_options(options: dict[str, Any]) -> Options:
    """Return the method's options, complete, as a record.

    Raises:
        InputError: for a value out of range.
    """
    values: dict[str, Any] = {field.name: options[field.name] for field in fields(Options)}
    lists: dict[str, Any] = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Options(**values | lists)
