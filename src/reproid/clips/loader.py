"""Batches of clips, made by worker processes ahead of their use."""

import signal
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader

from reproid.clips.clip import Clip, Sample, collate
from reproid.errors import InputError


class Source(Protocol):
    """What makes clips by key."""

    def __getitem__(self, key: Any, /) -> Sample: ...


@dataclass(frozen=True)
class _Broken:
    """An error on its way out of a worker: torch would bury its one line in a traceback."""

    message: str


@dataclass(frozen=True)
class _Guarded:
    source: Source

    def __getitem__(self, key: Any) -> Sample | _Broken:
        try:
            return self.source[key]
        except InputError as error:
            return _Broken(str(error))


def load_batches(source: Source, batches: Iterable[list[Any]], *, workers: int) -> Generator[Clip, None, None]:
    """Yield one `Clip` per entry of ``batches``, in order.

    Args:
        source: makes a clip from a key.
        batches: the keys of each batch.
        workers: processes that decode; 0: this one. The clips do not depend on it.

    Raises:
        InputError: what the source raised, in whichever process.
    """
    loader: DataLoader[Any] = DataLoader(
        _Guarded(source),  # type: ignore[arg-type]  # has what torch asks of a data set
        batch_sampler=batches,
        collate_fn=_collate,
        num_workers=workers,
        worker_init_fn=_ignore_signals,
        generator=torch.Generator().manual_seed(0),  # of its own: the model's dropout must not depend on the number of loaders
    )
    for batch in loader:
        if isinstance(batch, _Broken):
            raise InputError(batch.message)
        yield batch


def _collate(samples: list[Sample | _Broken]) -> Clip | _Broken:
    broken = [sample for sample in samples if isinstance(sample, _Broken)]
    return broken[0] if broken else collate([sample for sample in samples if isinstance(sample, Sample)])


def _ignore_signals(worker: int) -> None:
    """Leave signals to the main process: a scheduler sends them to all, and it must still finish its step and save."""
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(name, signal.SIG_IGN)
