"""Batches of clips, made by worker processes ahead of their use."""

import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
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
        InputError: what the source raised, in whichever process; or a worker was killed, as for want of memory.
    """
    loader: DataLoader[Any] = DataLoader(
        _Guarded(source),  # type: ignore[arg-type]  # has what torch asks of a data set
        batch_sampler=batches,
        collate_fn=_collate,
        num_workers=workers,
        worker_init_fn=_obey_parent,
        generator=torch.Generator().manual_seed(0),  # of its own: the model's dropout must not depend on the number of loaders
    )
    loaded = _start(loader)
    try:
        while (batch := next(loaded, None)) is not None:
            if isinstance(batch, _Broken):
                raise InputError(batch.message)
            yield batch
    except RuntimeError as error:
        raise _explained(error) from error
    finally:
        del loaded  # ends the workers now: an error's traceback would keep them as long as itself


def _explained(error: RuntimeError) -> Exception:
    """Return the error of a lost worker in words; any other as it is."""
    text = " ".join(str(error).split())
    if not text.startswith("DataLoader worker"):
        return error
    return InputError("a process that decodes images was lost", got=text, fix="Give the job more memory, or use --workers 0")


def _collate(samples: list[Sample | _Broken]) -> Clip | _Broken:
    broken = [sample for sample in samples if isinstance(sample, _Broken)]
    return broken[0] if broken else collate([sample for sample in samples if isinstance(sample, Sample)])


def _start(loader: DataLoader[Any]) -> Iterator[Any]:
    """Start the workers with signals blocked, which they inherit.

    A scheduler signals all processes of a job, and the main one must still finish its step and save.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
    try:
        return iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _obey_parent(worker: int) -> None:
    """Let the parent's own SIGTERM, and no other, end a worker: Python sends it on leaving, and waits for the end."""
    parent = os.getppid()

    def wait() -> None:
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
