"""How the workflow grows: `python benchmarks/scale.py --out benchmarks/scale.json` (ten minutes; 500 MB of disk).

For every size a made-up project is planned, its DAG built with nothing there, its files made and marked current, and the same
command run again with nothing to do. Seconds are of the processor (one thread of Snakemake is busy: on an idle machine they are
those of the wall) and of the wall.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _large_suite import TRAININGS_PER_EXPERIMENT, environment, fill_project, make_project
from _measure import machine

from reproid.catalog.catalog import load_catalog
from reproid.files import write_json

CLONE = Path(__file__).resolve().parent.parent
SIZES = (2, 10, 19, 38)
"""Experiments; 38 are the full paper plan's 2,600 trainings."""
_PLAN = """
import sys; from pathlib import Path
from reproid.catalog.catalog import load_catalog; from reproid.catalog.plan import plan_suite
plan_suite(load_catalog(Path(sys.argv[1])))
"""


def measure(experiments: int, folder: Path) -> dict[str, Any]:
    """Return the figures of one size; the project is made in ``folder``."""
    make_project(CLONE, folder, experiments)
    snakemake = [sys.executable, "-m", "snakemake", "--profile", "local"]
    found: dict[str, Any] = {"trainings": experiments * TRAININGS_PER_EXPERIMENT}
    found["plan"], _ = _timed([sys.executable, "-c", _PLAN, str(folder)], folder)
    found["dag"], said = _timed([*snakemake, "--dry-run", "--quiet", "rules", "--", "all"], folder)
    found["jobs"] = next(int(line.split()[1]) for line in said.splitlines() if line.startswith("total "))
    found["files"] = fill_project(load_catalog(folder))
    found["touch"], _ = _timed([sys.executable, str(CLONE / "tools" / "mark_current.py")], folder)
    found["no_op"], said = _timed([*snakemake, "--", "all"], folder)
    if "Nothing to be done" not in said:
        raise RuntimeError(f"something was to be done: {said[-2000:]}")
    return found


def _timed(command: list[str], folder: Path) -> tuple[dict[str, float], str]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {(done.stdout + done.stderr)[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}, done.stdout + done.stderr


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--experiments", type=int, action="append")
    arguments = parser.parse_args()
    about = machine()
    rows = []
    for experiments in arguments.experiments or SIZES:
        folder = Path(tempfile.mkdtemp(prefix="reproid-scale-"))
        try:
            rows.append(measure(experiments, folder))
            print(rows[-1], flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        write_json(arguments.out, {"machine": about, "sizes": rows})


if __name__ == "__main__":
    main()
