"""The status of a cell in words, and the rule for *reproduced*. A colour is only ever an addition to the word."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Tone = Literal["good", "off", "bad", "aside", "quiet"]

TOLERANCE_POINTS = 0.5
"""A mean this near to the print is reproduced, however small its sd."""
TOLERANCE_SDS = 2.0
"""A mean within so many sd of the print is reproduced."""
TOLERANCE_COST = 0.025
"""GMACs and parameters have no sd: within this share of the print. What is counted is seldom stated (docs/cost.md)."""
MIN_SEEDS = 3
"""With fewer, an sd says nothing."""


class Status(StrEnum):
    """What a cell says."""

    REPRODUCED = "reproduced"
    ABOVE = "above"
    BELOW = "below"
    TOO_FEW_SEEDS = "too few seeds"
    NOTHING_PRINTED = "nothing printed"
    SYNTHETIC = "synthetic: not comparable"
    WEIGHTS_MISSING = "weights missing: not comparable"
    SETTINGS_CHANGED = "settings changed: not comparable"
    PROTOCOL_CHANGED = "protocol changed: not comparable"
    FITTED = "fitted to the print: not comparable"
    OTHER_HARDWARE = "time of other hardware: not comparable"
    NOT_RUN = "not run"
    DATA_MISSING = "data missing"
    DATA_WITHDRAWN = "data withdrawn"
    METHOD_MISSING = "method missing"
    FAILED = "failed"
    DAMAGED = "damaged file"

    @property
    def tone(self) -> Tone:
        """The colour group of the word."""
        return _TONES.get(self, "quiet")

    @property
    def comparable(self) -> bool:
        """Tell whether the own number may be set against the printed one."""
        return self in (Status.REPRODUCED, Status.ABOVE, Status.BELOW, Status.TOO_FEW_SEEDS)


_TONES: dict[Status, Tone] = {
    Status.REPRODUCED: "good",
    Status.ABOVE: "off",
    Status.BELOW: "off",
    Status.TOO_FEW_SEEDS: "aside",
    Status.NOTHING_PRINTED: "aside",
    Status.SYNTHETIC: "aside",
    Status.WEIGHTS_MISSING: "aside",
    Status.SETTINGS_CHANGED: "aside",
    Status.PROTOCOL_CHANGED: "aside",
    Status.FITTED: "aside",
    Status.OTHER_HARDWARE: "aside",
    Status.FAILED: "bad",
    Status.DAMAGED: "bad",
}

MEANINGS: dict[Status, str] = {
    Status.REPRODUCED: "The mean over at least 3 seeds lies within 0.5 points or 2 sd of the print, whichever is more; GMACs and "
    "parameters within 2.5 % of it.",
    Status.ABOVE: "The mean lies above the print by more than that.",
    Status.BELOW: "The mean lies below the print by more than that.",
    Status.TOO_FEW_SEEDS: "Same data and protocol, fewer than 3 seeds: a difference, no verdict.",
    Status.NOTHING_PRINTED: "A number of our own; the paper prints none.",
    Status.SYNTHETIC: "Made on rendered people: never set against a printed number.",
    Status.WEIGHTS_MISSING: "The pretrained weights were not on the machine: the network started from random ones.",
    Status.SETTINGS_CHANGED: "The suite or params.yaml changes the paper's settings.",
    Status.PROTOCOL_CHANGED: "Scored under another protocol, or another revision of it, than the table names: evaluate again.",
    Status.FITTED: "A setting that the paper leaves open was chosen to meet this very number: it confirms nothing.",
    Status.OTHER_HARDWARE: "A time belongs to the machine that it was taken on.",
    Status.NOT_RUN: "Planned or plannable, and not there yet.",
    Status.DATA_MISSING: "The data set is not on this machine.",
    Status.DATA_WITHDRAWN: "The data set's authors have withdrawn it.",
    Status.METHOD_MISSING: "The method is declared and not implemented yet.",
    Status.FAILED: "A run ended with an error; its page shows which.",
    Status.DAMAGED: "A result file exists and cannot be read.",
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """An own number beside a printed one, in points or the column's unit."""

    mean: float
    sd: float | None
    seeds: int
    printed: float

    @property
    def difference(self) -> float:
        """Own minus printed; rounded beyond the noise of binary fractions."""
        return round(self.mean - self.printed, 9)


def compare_accuracy(comparison: Comparison) -> Status:
    """Return the verdict on an accuracy in points: |mean - print| <= max(0.5 points, 2 sd), at least 3 seeds."""
    if comparison.seeds < MIN_SEEDS:
        return Status.TOO_FEW_SEEDS
    return _verdict(comparison, max(TOLERANCE_POINTS, TOLERANCE_SDS * (comparison.sd or 0.0)))


def compare_cost(comparison: Comparison) -> Status:
    """Return the verdict on GMACs or parameters, which no seed changes."""
    return _verdict(comparison, TOLERANCE_COST * abs(comparison.printed))


def _verdict(comparison: Comparison, tolerance: float) -> Status:
    if abs(comparison.difference) <= tolerance + 1e-9:
        return Status.REPRODUCED
    return Status.ABOVE if comparison.difference > 0 else Status.BELOW
