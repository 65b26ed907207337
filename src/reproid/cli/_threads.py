"""Set before torch is imported: how its threads wait for each other."""

import os


def wait_quietly() -> None:
    """Let threads that wait for others sleep instead of spinning.

    Decoding workers, other jobs and torch's threads share the cores; threads that spin there made a training step 3 to 12 times
    as slow (2 cores, 2 threads). OpenMP reads this once, when torch is loaded. Results do not depend on it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
