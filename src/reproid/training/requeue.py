"""Back into SLURM's queue before the time limit: a training that is longer than a job may be goes on in the next one."""

import os
import subprocess

from reproid.training.interrupt import Interrupted

WARNING = "SIGUSR1"
"""What jobs ask SLURM to send some time before their limit. SIGTERM asks for nothing: it comes with the end of a job, which its
user has cancelled or SLURM itself puts back."""


def requeue_job(interrupted: Interrupted) -> str | None:
    """Ask SLURM to start this job again later, under its own number: whoever waits for its end notices nothing.

    A job that has done no step would do none the next time either, and for ever: it is left to end.

    Returns:
        What came of it, in a sentence; None where there was nothing to ask: no warning, or no job of SLURM.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if interrupted.signal_name != WARNING or job is None:
        return None
    if not interrupted.progressed:
        return f"SLURM job {job} ends here: it did no step before the warning of its time limit; give it more time"
    try:
        asked = subprocess.run(["scontrol", "requeue", job], text=True, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"SLURM job {job} ends here: it could not be put back into the queue ({error})"
    if asked.returncode != 0:
        return f"SLURM job {job} ends here: it could not be put back into the queue ({asked.stderr.strip()})"
    return f"SLURM job {job} is back in the queue and continues from there"
