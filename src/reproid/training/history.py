"""The history of a training: one row per epoch. No times in it: repeating a run repeats its bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """One epoch."""

    epoch: int
    """1-based."""
    lr: float
    means: dict[str, float]
    """Means over the epoch's steps: loss, each weighted term, accuracy on the training batches (0..1)."""


@dataclass
class Totals:
    """Sums over the steps of an epoch so far."""

    steps: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, values: dict[str, float]) -> None:
        """Add the values of one step."""
        self.steps += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def means(self) -> dict[str, float]:
        """Return the means over the steps."""
        return {name: value / self.steps for name, value in self.sums.items()}


def history_csv(rows: Iterable[EpochRow]) -> str:
    """Return history.csv: epoch, lr, loss, accuracy, then one column per term; nine digits, empty where an epoch lacks a term."""
    rows = list(rows)
    names = list(dict.fromkeys(["loss", "accuracy", *(name for row in rows for name in row.means)]))
    lines = [["epoch", "lr", *names]]
    for row in rows:
        values = [f"{row.means[name]:.9g}" if name in row.means else "" for name in names]
        lines.append([str(row.epoch), f"{row.lr:.9g}", *values])
    return "".join(",".join(line) + "\n" for line in lines)
