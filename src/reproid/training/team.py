"""Several processes that train one run together: each takes its share of every batch, and all move the same weights.

The batch stays the settings' P x K clips whatever the number of ranks: rank r takes the r-th of equal parts, whole persons.
Losses are those of the whole batch, with positives and negatives of all ranks, so every rank knows the same values. What is
differentiated is the sum of the ranks' losses, which are equal; averaging the gradients over the ranks, which is what
DistributedDataParallel does, then gives exactly the gradient of one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from reproid.clips.datasets import Draw
from reproid.errors import InputError
from reproid.models.base import Output
from reproid.seeds import derive_seed
from reproid.training.interrupt import Interrupted
from reproid.training.shared_norm import share_norms

_NOTE_BYTES = 1024
_PATIENCE = timedelta(days=2)
"""That ranks wait for each other: one may wait for a lock. Whoever started them ends all when one fails."""


@dataclass(frozen=True, kw_only=True)
class Team:
    """One process' place among those that train together; alone, every method returns what it is given."""

    rank: int = 0
    """0 leads: it alone writes files."""
    size: int = 1
    local_rank: int = 0
    """Number on this machine: which GPU."""
    notes: Any = None
    """Process group for messages between the ranks, on the CPU."""
    gradients: Any = None
    """Process group for gradients: they may cross the messages of the batch norms."""

    @property
    def leads(self) -> bool:
        """Tell whether this process writes."""
        return self.rank == 0

    def device(self) -> torch.device:
        """Return where this process computes: its GPU, where there is one."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda") if self.size == 1 else torch.device("cuda", self.local_rank % torch.cuda.device_count())

    def share(self, batch: list[Draw]) -> list[Draw]:
        """Return this rank's part of a batch; the parts of all ranks, in order, are the batch."""
        part = len(batch) // self.size
        return batch[self.rank * part : (self.rank + 1) * part]

    def check_batch(self, persons: int) -> None:
        """Refuse a batch that cannot be shared.

        Raises:
            InputError: if the number of persons is no multiple of the ranks.
        """
        if persons % self.size:
            fix = "Train with a number of processes that divides it"
            raise InputError(
                "a batch cannot be shared evenly",
                where="train.batch.persons",
                expected=f"a multiple of {self.size}",
                got=persons,
                fix=fix,
            )

    def gather(self, output: Output, labels: Tensor) -> tuple[Output, Tensor]:
        """Return logits, features and labels of the whole batch, and the mean of the method's own terms, on every rank."""
        if self.size == 1:
            return output, labels
        whole = replace(
            output,
            logits=tuple(_gather(one, self) for one in output.logits),
            features=tuple(_gather(one, self) for one in output.features),
            losses={name: _mean(value, self) for name, value in output.losses.items()},
            # a count of the host may be in main memory, where the GPUs' group cannot add it up
            metrics={name: _mean(value.to(labels.device), self) for name, value in output.metrics.items()},
        )
        return whole, _gather(labels, self)

    def share_statistics(self, model: nn.Module) -> None:
        """Let the batch norms of ``model`` take their statistics over all ranks' parts; names in its state stay."""
        if self.size > 1:
            share_norms(model)

    def parallel(self, objective: nn.Module) -> nn.Module:
        """Return ``objective`` with gradients that are averaged over the ranks; terms of weight 0 may leave parameters unused."""
        if self.size == 1:
            return objective
        return nn.parallel.DistributedDataParallel(
            objective, process_group=self.gradients, broadcast_buffers=False, find_unused_parameters=True
        )

    def reseed(self, seed: int, epoch: int, step: int) -> None:
        """Give each rank a generator of its own for dropout and drop-path, made anew for every step: there is none to save."""
        if self.size > 1:
            torch.manual_seed(derive_seed(seed, "augmentation", "model", epoch, step, self.rank))

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """Leave the block on every rank as the first one does that fails in it or is asked to stop.

        Raises:
            InputError: of whichever rank.
            Interrupted: when any was signalled and none failed.
        """
        mine = ""
        try:
            yield
        except (InputError, Interrupted) as error:
            if self.size == 1:
                raise
            mine = f"{'signal' if isinstance(error, Interrupted) else 'error'} {error}"
        said = sorted(filter(None, self._exchange(mine)))  # errors before signals
        if said:
            kind, _, text = said[0].partition(" ")
            raise InputError(text) if kind == "error" else Interrupted(text)

    def told(self, text: str) -> str:
        """Return what the leading rank says here."""
        return self._exchange(text)[0]

    def check_same(self, what: str, value: str) -> None:
        """Refuse to go on where the ranks differ.

        Raises:
            InputError: names what differs.
        """
        said = self._exchange(value)
        if len(set(said)) > 1:
            fix = "Let all machines see the same folders"
            raise InputError(f"the processes do not see the same {what}", expected=said[0], got=", ".join(said), fix=fix)

    def _exchange(self, text: str) -> list[str]:
        """Return what every rank says, in the order of ranks; cut to `_NOTE_BYTES`."""
        if self.size == 1:
            return [text]
        mine = torch.zeros(_NOTE_BYTES, dtype=torch.uint8)
        said = text.encode()[:_NOTE_BYTES]
        mine[: len(said)] = torch.frombuffer(bytearray(said), dtype=torch.uint8) if said else 0
        notes = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(notes, mine, group=self.notes)
        return [bytes(note.tolist()).rstrip(b"\0").decode(errors="ignore") for note in notes]


ALONE = Team()


def leads() -> bool:
    """Tell whether this process is the first of its team, or alone, as the environment has it."""
    return os.environ.get("RANK", "0") == "0" or _number("WORLD_SIZE", default=1) == 1


@contextmanager
def joined_team() -> Iterator[Team]:
    """Join the processes that the environment names as torchrun sets it (WORLD_SIZE, RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT).

    Yields:
        This process' place; `ALONE` where WORLD_SIZE is absent or 1.

    Raises:
        InputError: if one of the variables is missing or no number.
    """
    size = _number("WORLD_SIZE", default=1)
    if size == 1:
        yield ALONE
        return
    rank, local = _number("RANK"), _number("LOCAL_RANK", default=0)
    team = Team(rank=rank, size=size, local_rank=local)
    device = team.device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=rank, world_size=size, timeout=_PATIENCE)
    try:
        yield replace(team, notes=dist.new_group(backend="gloo", timeout=_PATIENCE), gradients=dist.new_group(timeout=_PATIENCE))
    finally:
        dist.destroy_process_group()


def _number(name: str, default: int | None = None) -> int:
    text = os.environ.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal():
        fix = "Start the processes with `reproid train --ranks N` or torchrun"
        raise InputError(f"environment variable {name}", expected="a number", got=text or "nothing", fix=fix)
    return int(text)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mine: Tensor, team: Team) -> Tensor:
        ctx.team = team
        parts = [torch.empty_like(mine) for _ in range(team.size)]
        dist.all_gather(parts, mine.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Of the sum of the ranks' losses: as many equal ones as there are ranks."""
        return gradient.chunk(ctx.team.size)[ctx.team.rank] * ctx.team.size, None


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mine: Tensor, team: Team) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total / team.size

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Of the sum of the ranks' losses: one share of each of them."""
        return gradient, None


def _gather(mine: Tensor, team: Team) -> Tensor:
    gathered: Tensor = _Gather.apply(mine, team)  # type: ignore[no-untyped-call]
    return gathered


def _mean(mine: Tensor, team: Team) -> Tensor:
    mean: Tensor = _Mean.apply(mine, team)  # type: ignore[no-untyped-call]
    return mean
