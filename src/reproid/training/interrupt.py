"""Signals of a scheduler: finish the step, save, leave."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

EXIT_REQUEUE = 75
"""Exit code of an interrupted training (EX_TEMPFAIL of sysexits.h): the same command continues it."""


class Interrupted(Exception):  # noqa: N818  # no error: a way to leave
    """A training was asked to stop, has saved its state and can be continued."""


class Interrupt:
    """While open, SIGTERM and SIGUSR1 are noted instead of obeyed; the loop asks for them after each step.

    Outside the main thread Python delivers no signals: there, nothing is noted.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._at_once = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {name: signal.signal(name, self._note) for name in (signal.SIGTERM, signal.SIGUSR1)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """While open, a signal, noted before or coming now, ends the block at once: for waits that nothing is lost by leaving.

        Raises:
            Interrupted: by the signal.
        """
        self._at_once = True
        try:
            if self.name:
                raise Interrupted(self.name)
            yield
        finally:
            self._at_once = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name
        if self._at_once:
            self._at_once = False
            raise Interrupted(self.name)
