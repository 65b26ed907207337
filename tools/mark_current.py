"""Mark the results that are there as current, in the order in which they are made of each other: a part of `make restore`.

Files that were fetched bear the times of their arrival. This is `snakemake --touch --forceall`, without what makes that slow with
thousands of jobs: it sleeps 0.1 s after each, and weighs all jobs that wait against each other to choose the next few.

Example: python tools/mark_current.py
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from snakemake.cli import main
from snakemake.executors.touch import Executor
from snakemake.scheduling.greedy import Scheduler


def _all_of_them(scheduler: Scheduler, waiting: Sequence[Any], *_: object) -> Sequence[Any]:
    """Choose every job whose inputs are marked: nothing runs, so that no cores or memory are to be shared."""
    return waiting


if __name__ == "__main__":
    Executor.SLEEPING_TIME = 0  # Snakemake takes files of one time for current
    Scheduler.select_jobs = _all_of_them
    profile = os.environ.get("SNAKEMAKE_PROFILE", "local")
    options = ["--quiet", "--cores", "1000000", "--touch", "--forceall", "--scheduler", "greedy"]
    main(["--profile", profile, *options, *sys.argv[1:]])
