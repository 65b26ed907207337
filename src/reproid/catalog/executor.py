"""One thing that Snakemake's SLURM executor gets wrong (version 2.8.0, pinned in requirements.in)."""

import sys
from collections.abc import Callable


def keep_asking_squeue() -> None:
    """Let the executor ask squeue for its jobs again after SLURM's controller was away.

    Before each look it asks the controller how long that remembers jobs. No answer makes it turn to sacct; a cluster without a
    database answers that with an error, and after it the executor waits for ever. It is now told the last answer instead. Where
    the executor is not loaded there is nothing to do.
    """
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    if executor is None:
        return
    ask: Callable[[], int | None] = executor.get_min_job_age
    answers: list[int] = []

    def get_min_job_age() -> int | None:
        answer = ask()
        if answer is not None:
            answers[:] = [answer]
        return answers[0] if answers else None

    executor.get_min_job_age = get_min_job_age  # type: ignore[attr-defined]
