"""Tasks of one step of SLURM that train one run: `srun --ntasks N reproid train --ranks N`, on one node or several.

It needs no torch.
"""

import os
import re

from reproid.errors import InputError

_PORTS = range(15000, 30000)
"""Below those that systems give to outgoing connections."""


def join_step(ranks: int) -> bool:
    """Take this task's place among those that srun started; tell whether there is one.

    What torchrun would set is set from what SLURM does. MASTER_ADDR and MASTER_PORT stay where they are set already: the node of
    rank 0 may be reached by another name.

    Args:
        ranks: how many the command names.

    Raises:
        InputError: if srun started another number: each would train the whole run, or wait for those that were never started.
    """
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    if tasks == "1":
        return False
    if tasks != str(ranks):
        fix = f"Add --ranks {tasks}, or start one task per training: srun --ntasks 1"
        raise InputError(f"srun started {tasks} tasks of this training", where="--ranks", expected=tasks, got=ranks, fix=fix)
    os.environ |= {"WORLD_SIZE": tasks, "RANK": os.environ["SLURM_PROCID"], "LOCAL_RANK": os.environ["SLURM_LOCALID"]}
    os.environ.setdefault("MASTER_ADDR", first_host(os.environ["SLURM_STEP_NODELIST"]))
    os.environ.setdefault("MASTER_PORT", str(_port(int(os.environ["SLURM_JOB_ID"]), int(os.environ["SLURM_STEP_ID"]))))
    return True


def first_host(nodes: str) -> str:
    """Return the first name of a list as SLURM writes it: ``gpu[08-11,14],big1`` starts with gpu08."""
    first = re.sub(r"\[(\w+)[^\]]*\]", r"\1", nodes)
    return first.partition(",")[0]


def _port(job: int, step: int) -> int:
    """Return a port that every task of a step comes to; steps beside it have others."""
    return _PORTS[(job * 16 + step) % len(_PORTS)]
