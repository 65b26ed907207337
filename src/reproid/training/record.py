"""What is known of a training, as it becomes known: its manifest is made of it, however the training ends."""

import time
from dataclasses import dataclass, field
from typing import Any

import torch

from reproid.catalog.runs import Run
from reproid.code_hash import code_sha256
from reproid.training.manifest import Manifest, derived_seeds, environment, peak_memory_mib
from reproid.training.state import TrainState


@dataclass(kw_only=True)
class Record:
    """A training under way."""

    run: Run
    threads: int
    workers: int
    world_size: int = 1
    facts: dict[str, Any] = field(default_factory=environment)
    """Of the machine, taken at the start."""
    data_sha256: str | None = None
    weights: str = "unknown"
    state: TrainState | None = None
    earlier_s: float = 0.0
    """Time that earlier processes spent."""
    began: float = field(default_factory=time.monotonic)

    def manifest(self) -> Manifest:
        """Return the manifest as of now."""
        cuda = torch.cuda.is_available()
        return Manifest(
            **self.facts,
            run_id=self.run.run_id,
            code_sha256=code_sha256(self.run.settings.method),
            data_sha256=self.data_sha256,
            weights=self.weights,
            device="cuda" if cuda else "cpu",
            threads=self.threads,
            workers=self.workers,
            wall_s=round(self.earlier_s + time.monotonic() - self.began, 1),
            sessions=self.state.sessions if self.state else 1,
            peak_memory_mib=peak_memory_mib(),
            peak_gpu_memory_mib=round(torch.cuda.max_memory_allocated() / 2**20, 1) if cuda else None,
            seeds=derived_seeds(self.run.seed),
            world_size=self.world_size,
        )
