"""The resume state of a training: everything that the rest of it depends on, in one safetensors file.

The learning rate and the batches are functions of the settings, the seed and the place (epoch, step), so the place stands for
the schedule and the sampler. Tensors are those of the model, the optimiser and the generators of torch; the rest is JSON in the
file's header, so that a kill cannot leave one without the other.
"""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from reproid.errors import InputError
from reproid.models.checkpoint import load_into, load_tensors, save_tensors
from reproid.training.history import EpochRow, Totals

SCHEMA = 1
_FILE = "state.safetensors"


class OtherRanksError(InputError):
    """A state that could be continued, by another number of processes."""


@dataclass(kw_only=True)
class TrainState:
    """Where a training is, and what moves."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    """0-based, the epoch that is under way."""
    step: int = 0
    """Steps of it that are done."""
    totals: Totals = field(default_factory=Totals)
    history: list[EpochRow] = field(default_factory=list)
    sessions: int = 1
    """Processes that took part."""
    wall_s: float = 0.0
    """Time that earlier processes spent."""


@dataclass(frozen=True, kw_only=True)
class StateFolder:
    """Where the state of one run lies, and of what it must be the state."""

    folder: Path
    run_id: str
    data_sha256: str
    ranks: int = 1
    """Processes that train together: dropout and the last bits depend on it."""

    def save(self, state: TrainState) -> None:
        """Write the state, atomically."""
        about = {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "data_sha256": self.data_sha256,
            "epoch": state.epoch,
            "step": state.step,
            "totals": asdict(state.totals),
            "history": [asdict(row) for row in state.history],
            "sessions": state.sessions,
            "wall_s": state.wall_s,
        }
        if self.ranks > 1:
            about["ranks"] = self.ranks
        save_tensors(self.folder / _FILE, _tensors(state), about)

    def restore(self, state: TrainState) -> bool:
        """Bring ``state`` to where the file says; tell whether there was one. A foreign or damaged file is passed over.

        Raises:
            InputError: if the state is of a training with another number of processes.
        """
        path = self.folder / _FILE
        if not path.exists():
            return False
        try:
            tensors, about = load_tensors(path)
            for name, own in (("schema", SCHEMA), ("run_id", self.run_id), ("data_sha256", self.data_sha256)):
                if about.get(name) != own:
                    raise InputError(f"resume state of another {name}", where=path, expected=own, got=about.get(name))
            self._check_ranks(about.get("ranks", 1))
            _fill(state, tensors)
        except OtherRanksError:
            raise
        except InputError as error:
            print(f"reproid: notice: {error} It is ignored; training starts from the beginning.", file=sys.stderr)
            return False
        state.epoch, state.step = about["epoch"], about["step"]
        state.totals = Totals(**about["totals"])
        state.history = [EpochRow(**row) for row in about["history"]]
        state.sessions, state.wall_s = about["sessions"] + 1, about["wall_s"]
        return True

    def _check_ranks(self, ranks: int) -> None:
        if ranks != self.ranks:
            raise OtherRanksError(
                "the resume state is of a training with another number of processes",
                where=self.folder / _FILE,
                expected=f"{ranks} processes",
                got=self.ranks,
                fix=f"Continue with --ranks {ranks}, or start again with --no-resume",
            )

    def discard(self) -> None:
        """Remove the state of a finished training."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _tensors(state: TrainState) -> dict[str, Tensor]:
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    for number, values in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items() if isinstance(value, Tensor)}
    tensors["generator.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["generator.cuda"] = torch.cuda.get_rng_state()
    return tensors


def _fill(state: TrainState, tensors: Mapping[str, Tensor]) -> None:
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "generator": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    load_into(state.model, parts["model"], where="resume state")
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        number, _, key = name.partition(".")
        moments.setdefault(int(number), {})[key] = value
    state.optimizer.load_state_dict({"state": moments, "param_groups": state.optimizer.state_dict()["param_groups"]})
    torch.set_rng_state(parts["generator"]["cpu"])
    if torch.cuda.is_available() and "cuda" in parts["generator"]:
        torch.cuda.set_rng_state(parts["generator"]["cuda"])
