"""CPU time, wall time, memory beyond the input, and what the machine is called."""

import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproid.retrieval.ranks import usable_cores


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The best of several repetitions."""

    cpu_s: float
    wall_s: float
    memory_mb: float
    """Peak of what numpy and Python allocated, without the buffers of the BLAS."""


def measure(function: Callable[[], object], *, repeats: int = 5) -> Measured:
    """Run ``function`` several times and return the smallest times and the peak of its memory.

    Memory is traced in a run of its own; with one repetition, for what takes minutes, in the timed run, which it hardly slows.
    """
    cpu, wall = [], []
    for _ in range(repeats - 1):
        cpu_s, wall_s, _ = _run(function)
        cpu.append(cpu_s)
        wall.append(wall_s)
    tracemalloc.start()
    cpu_s, wall_s, peak = _run(function)
    tracemalloc.stop()
    return Measured(cpu_s=min(cpu, default=cpu_s), wall_s=min(wall, default=wall_s), memory_mb=peak / 2**20)


def _run(function: Callable[[], object]) -> tuple[float, float, int]:
    started = time.process_time(), time.perf_counter()
    function()
    return time.process_time() - started[0], time.perf_counter() - started[1], tracemalloc.get_traced_memory()[1]


def machine() -> dict[str, Any]:
    """Return the processor's model, cores, system and the load before the measurement: above 0.5, others were at work."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    load = os.getloadavg()[0]
    return {"cpu": model, "cores": usable_cores(), "system": platform.system(), "load_before": round(load, 2)}
