"""Ranks as forked processes of a test, talking over gloo."""

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from reproid.errors import InputError
from reproid.training.interrupt import Interrupted
from reproid.training.launch import free_port
from reproid.training.team import Team, joined_team

CONTEXT = multiprocessing.get_context("fork")


def run_team(folder: Path, work: Callable[[Team], Any], *, size: int = 2) -> list[Any]:
    """Return what ``work`` returns on every rank, as JSON has it, or {"error": text} or {"interrupted": text} where it raises."""
    port = str(free_port())
    processes = [CONTEXT.Process(target=_rank, args=(folder, work, rank, size, port)) for rank in range(size)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        if process.exitcode != 0:
            for other in processes:
                other.kill()
    assert [process.exitcode for process in processes] == [0] * size
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(size)]


def _rank(folder: Path, work: Callable[[Team], Any], rank: int, size: int, port: str) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    torch.set_num_threads(1)  # threads of the parent's pool are not forked: whoever waits for them waits for ever
    with joined_team() as team:
        try:
            found = work(team)
        except InputError as error:
            found = {"error": str(error)}
        except Interrupted as error:
            found = {"interrupted": str(error)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"rank-{rank}.json").write_text(json.dumps(found))
