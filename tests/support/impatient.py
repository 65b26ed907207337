"""Snakemake that looks after its jobs every other second; as it is, it waits 20 s, then 10 s more each time that none has ended.

Run as a program with Snakemake's arguments. Only the process that submits is impatient: jobs start Snakemake itself.
"""

import sys
from typing import Any

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor


def _keep(executor: Any, seconds: int) -> None:
    """Ignore what the executor wants to wait."""


if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda executor: 2, _keep)
    main(sys.argv[1:])
