"""Signals of a scheduler: finish the step, save, leave."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

EXIT_REQUEUE = 75
"""Exit code of an interrupted training (EX_TEMPFAIL of sysexits.h): the same command continues it."""

GRACE_S = 10.0
"""Seconds that a wait may take to end by itself after a signal; schedulers leave 30 to 60 before they kill."""


class Interrupted(Exception):  # noqa: N818  # no error: a way to leave
    """A training was asked to stop, has saved its state and can be continued."""

    def __init__(self, signal_name: str, place: str | None = None, *, progressed: bool = False) -> None:
        super().__init__(signal_name if place is None else f"{signal_name} in {place}")
        self.signal_name = signal_name
        self.progressed = progressed
        """Whether this process has done a step."""


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
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._leave)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """Leave the block on a signal: at once if it came before, else when the block has not ended within `GRACE_S`.

        For waits that nothing is lost by leaving. Not at once in the middle: an exception that comes at any place, as in a
        destructor, may be swallowed there, and most waits end by themselves.

        Raises:
            Interrupted: by the signal.
        """
        if self.name:
            raise Interrupted(self.name)
        self._at_once = True
        try:
            if self.name:  # it came between the two lines above
                raise Interrupted(self.name)
            yield
        finally:
            self._at_once = False
            if self.name and signal.SIGALRM in self._before:
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name
        if self._at_once:
            signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        if self._at_once and self.name:
            raise Interrupted(self.name)
