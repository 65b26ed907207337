"""Processes of a project's copy, found by their current folder, and ended as the kernel, a scheduler or a power cut ends them."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psutil

from support.project import Project

Victim = Literal["snakemake", "training", "dvc"]


@dataclass(frozen=True)
class Kill:
    """One kill -9: of whom, after how long, and whether with all that it has started."""

    victim: Victim
    after_s: float
    whole_tree: bool


def kill(project: Project, command: tuple[str, ...], plan: Kill, **variables: str) -> bool:
    """Start a command and kill the victim after a while; return whether it was there. A training is awaited first.

    Returns when the command itself has ended; what a kill left behind may go on.
    """
    with (project.folder / "killed.log").open("a") as log:
        started = project.start(*command, output=log, **variables)
    ended = _ended(started)
    if plan.victim == "training":
        _until(lambda: ended() or bool(_trainings(project)))
    deadline = time.monotonic() + plan.after_s
    _until(lambda: ended() or time.monotonic() > deadline)
    hit = _trainings(project)[:1] if plan.victim == "training" else [] if ended() else [psutil.Process(started.pid)]
    for process in hit:
        with suppress(psutil.NoSuchProcess):
            children = process.children(recursive=True) if plan.whole_tree else []
            for one in (process, *children):
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
    started.wait(600)
    return bool(hit)


def await_left_behind(project: Project, program: str) -> None:
    """Wait until no process of this name works in the project any more: the documented step after a kill of DVC."""
    _until(lambda: not any(program in " ".join(_command(process)) for process in processes(project)))


def processes(project: Project) -> list[psutil.Process]:
    """Return the processes whose current folder is the project's."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(project.folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def random_kills(seed: int, victims: tuple[Victim, ...], longest_s: dict[Victim, float]) -> list[Kill]:
    """Return one kill per victim, at moments drawn from the seed."""
    rng = random.Random(seed)
    return [Kill(victim=victim, after_s=rng.uniform(0, longest_s[victim]), whole_tree=rng.random() < 0.5) for victim in victims]


def _trainings(project: Project) -> list[psutil.Process]:
    """Return the main processes of trainings, oldest first; their decoding workers are children with the same command."""
    found = [process for process in processes(project) if _command(process)[1:3] and "train" in _command(process)[1:3]]
    pids = {process.pid for process in found}
    roots = []
    for process in found:
        with suppress(psutil.NoSuchProcess):
            if process.ppid() not in pids:
                roots.append(process)
    return sorted(roots, key=lambda process: process.pid)


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _ended(started: subprocess.Popen[str]) -> Callable[[], bool]:
    return lambda: started.poll() is not None


def _until(condition: Callable[[], bool], longest_s: float = 300) -> None:
    deadline = time.monotonic() + longest_s
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
