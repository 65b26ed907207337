"""Submissions and wall time of small runs on a private one-machine SLURM: step by step, a job per run, several runs per job.

The cluster is that of the tests (tests/support/cluster.py). What it costs to start a job is real: Snakemake starts twice in each.
Times are those of the machine; what carries over are the submissions and the order. A queue is not in them.

Example: python benchmarks/slurm.py --out benchmarks/slurm.json
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _measure import machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.cluster import INSTALL, Cluster, missing  # noqa: E402
from support.on_cluster import Undisturbed, small_project  # noqa: E402
from support.project import copy_project  # noqa: E402

LOCAL = {"all", "runs", "render", "table", "summary", "report"}
"""Rules that run where Snakemake does."""
GROUP = 'return "run" if is_small(wildcards) else None'
MODES: dict[str, tuple[str, ...] | None] = {
    "step by step": None,
    "a job per run": (),
    "four runs per job": ("--group-components", "run=4"),
}
"""Options of Snakemake; none: the grouping is taken out of the rules."""


def count(folder: Path, suite: str) -> dict[str, int]:
    """Return the steps of a suite and what the profile submits for them, by its plan."""
    project = copy_project(folder, suite)
    said = project.run("snakemake", "--profile", "slurm", "all", "--dry-run").stdout
    table = said.partition("job ")[2].partition("\ntotal")[0]
    planned = {rule: int(number) for rule, number in re.findall(r"^(\w+)\s+(\d+)$", table, flags=re.MULTILINE)}
    steps = sum(number for rule, number in planned.items() if rule not in LOCAL)
    groups = re.findall(r"Group job run", said)
    return {"steps": steps, "submissions": steps - 3 * len(groups) + len(groups)}


def measure(data: Undisturbed, folder: Path, cluster: Cluster, seeds: int, options: tuple[str, ...] | None) -> dict[str, Any]:
    """Run the tests' small suite from its index to the metrics; return submissions, wall time and what the jobs took."""
    checkout = data.checkout(folder, cluster)
    checkout.project.edit("suites/small.yaml", "seeds: [0]", f"seeds: {list(range(seeds))}")
    if options is None:
        checkout.project.edit("workflow/rules/common.smk", GROUP, "return None")
    load, started = os.getloadavg()[0], time.monotonic()
    code = checkout.start(*(options or ()), "--", "runs").wait()
    wall_s = time.monotonic() - started
    assert code == 0, checkout.said()
    jobs = checkout.jobs()
    job_s = sum(_seconds(job["RunTime"]) for job in jobs)
    return {"submissions": len(jobs), "wall_s": round(wall_s, 1), "job_s": job_s, "load_before": round(load, 2)}


def _seconds(clock: str) -> int:
    hours, minutes, seconds = clock.rpartition("-")[2].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def main() -> None:
    """Measure every mode in one go."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2, help="Of one run that learns and one that does not.")
    arguments = parser.parse_args()
    if missing():
        sys.exit(f"SLURM is not installed: {INSTALL}")
    found: dict[str, Any] = {"machine": machine(), "runs": 2 * arguments.seeds}
    with tempfile.TemporaryDirectory() as base, Cluster() as cluster:
        found["suites"] = {suite: count(Path(base) / suite, suite) for suite in ("tiny", "demo")}
        index = small_project(Path(base) / "index").snakemake("data")
        assert index.returncode == 0, index.stderr
        data = Undisturbed(folder=Path(base) / "index", trained="", oracle="")
        found["modes"] = {}
        for name, options in MODES.items():
            found["modes"][name] = measure(data, Path(base) / name.replace(" ", "-"), cluster, arguments.seeds, options)
            print(name, found["modes"][name], flush=True)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
