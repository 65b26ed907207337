"""Several processes on this machine that train one run: `reproid train --ranks N`. It needs no torch.

What torchrun does, and two things that a scheduler needs: signals reach every rank, and an interrupted training's exit code is
passed on.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

from reproid.training.interrupt import EXIT_REQUEUE

POLL_S = 0.1
GRACE_S = 20.0
"""Seconds that the others get to end by themselves when one has failed."""


def launch(ranks: int, arguments: Sequence[str]) -> int:
    """Run ``reproid <arguments>`` as so many ranks; returns their exit code when all have ended.

    0 where all ended well; that of the first that failed; else that of an interruption.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # DistributedDataParallel warns of a search that it is told to make
    common = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    command = [sys.executable, "-m", "reproid", *arguments]
    processes = [
        subprocess.Popen(command, env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(ranks)
    ]
    before = _pass_on_signals(processes)
    try:
        return _wait(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def in_team() -> bool:
    """Tell whether this process is one of several already."""
    return "WORLD_SIZE" in os.environ and "RANK" in os.environ


def _wait(processes: list["subprocess.Popen[bytes]"]) -> int:
    deadline = None
    failed = 0
    while None in [process.poll() for process in processes]:  # of all: `any` would stop at the first that runs
        codes = [process.returncode for process in processes if process.returncode not in (None, 0, EXIT_REQUEUE)]
        if codes and deadline is None:
            failed, deadline = codes[0], time.monotonic() + GRACE_S
        if deadline is not None and time.monotonic() > deadline:
            return _exit_code(failed)
        time.sleep(POLL_S)
    codes = [process.returncode for process in processes]
    failed = failed or next((code for code in codes if code not in (0, EXIT_REQUEUE)), 0)
    return _exit_code(failed) if failed else max(codes)


def _exit_code(code: int) -> int:
    """Return a shell's exit code: 128 and the signal's number for a process that a signal ended."""
    return 128 - code if code < 0 else code


def _pass_on_signals(processes: list["subprocess.Popen[bytes]"]) -> dict[signal.Signals, Any]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    return {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGUSR1)}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
