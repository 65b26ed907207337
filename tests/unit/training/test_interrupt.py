import os
import signal
import threading
import time

import pytest

from reproid.training import interrupt as interrupt_module
from reproid.training.interrupt import EXIT_REQUEUE, Interrupt, Interrupted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=lambda number: number.name)
def test_interrupt_notes_a_signal_instead_of_obeying_it(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert interrupt.name is None
        os.kill(os.getpid(), number)
        assert interrupt.name == number.name
    assert signal.getsignal(number) == before


def test_interrupt_in_another_thread_leaves_the_handlers_alone() -> None:
    seen = []

    def work() -> None:
        with Interrupt() as interrupt:
            seen.append((signal.getsignal(signal.SIGTERM), interrupt.name))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, None)]


def test_exit_code_is_that_of_sysexits() -> None:
    assert EXIT_REQUEUE == os.EX_TEMPFAIL


def test_obeyed_block_that_does_not_end_is_left_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt_module, "GRACE_S", 0.05)
    went_on = False
    with Interrupt() as interrupt:
        with pytest.raises(Interrupted, match="SIGUSR1"), interrupt.obeyed():
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(60)
            went_on = True
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.name == "SIGTERM", "after the block, signals are noted again"
    assert not went_on


def test_obeyed_block_is_not_entered_after_a_signal() -> None:
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted, match="SIGTERM"), interrupt.obeyed():
            raise AssertionError("entered")


def test_obeyed_block_that_ends_by_itself_notes_the_signal() -> None:
    with Interrupt() as interrupt:
        with interrupt.obeyed():
            os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.name == "SIGTERM"
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0), "no alarm is left behind"
