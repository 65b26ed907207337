"""A copy of the project whose Snakemake submits to the tests' private cluster, with a suite of two small runs."""

import csv
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.cluster import Cluster
from support.project import Project, copy_project

SUITE = """\
name: small
about: One run that learns, one that does not.
tables: [controls/small]
datasets: {mars: tiny-mars}
seeds: [0]
overrides:
  clips: {frames: 2, height: 32, width: 16}
  train:
    epochs: 4
    steps_per_epoch: 5
    batch: {persons: 4, clips_per_person: 2}
  embed: {frames: 4}
options:
  resnet50: {layers: [1, 1, 1, 1], channels: [8, 8, 16, 16], pretrained: null}
cost: {batches: []}
"""
TABLE = """\
id: small
number: "2"
title: Two rows
label_heads: [Descriptor, Training]
columns:
  - {id: mars-map, head: mAP, metric: map, dataset: mars}
protocols: {mars: mars-standard}
rows:
  - {labels: [ResNet-50, as printed], experiment: psformer/resnet50}
  - {labels: [oracle, none], experiment: oracle}
"""


@dataclass(frozen=True)
class OnCluster:
    """A checkout and the cluster that it submits to."""

    project: Project
    cluster: Cluster

    @property
    def folder(self) -> Path:
        return self.project.folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with the cluster's profile to its end."""
        return self.project.run(*_command(arguments), **self.cluster.env)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the same; what it says goes to said.log."""
        with (self.folder / "said.log").open("a") as log:
            return self.project.start(*_command(arguments), output=log, **self.cluster.env)

    def jobs(self, states: str = "all") -> list[dict[str, str]]:
        """Return what this checkout has submitted, oldest first."""
        return self.cluster.jobs(states, of=self.folder)

    def slow(self, seconds: float) -> None:
        """Make every step of a training last so much longer; its result stays."""
        step = "                state.step += 1\n"
        self.project.edit("src/reproid/training/loop.py", step, f"{step}                time.sleep({seconds})\n")

    def history(self, run_id: str) -> list[dict[str, float]]:
        """Return a row per epoch that is done."""
        return _history(self.folder / f"results/runs/tiny-mars/{run_id}/history.csv")

    def epochs_done(self, run_id: str) -> int:
        return len(self.history(run_id))

    def tell_places(self) -> None:
        """Let every process of a training say what it was given, in places.log."""
        line = 'open("places.log", "a").write(",".join(os.environ.get(name, "") for name in PLACE) + "\\n")'
        names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")
        joined = "    with joined_team() as team:\n"
        self.project.edit(
            "src/reproid/cli/train.py", f"    {joined}", f"        import os; PLACE = {names}; {line}\n    {joined}"
        )

    def places(self) -> set[tuple[str, ...]]:
        """Return rank, local rank, number of ranks, node and GPUs of every process that has trained."""
        return {tuple(line.split(",")) for line in (self.folder / "places.log").read_text().splitlines()}

    def said(self) -> str:
        """Return everything that was said: by Snakemake, by SLURM's jobs, by the steps."""
        logs = [self.folder / "said.log", *sorted(self.folder.glob(".snakemake/slurm_logs/**/*.log"))]
        logs += sorted(self.folder.glob("results/logs/**/*.log"))
        return "\n".join(f"== {path}\n{path.read_text(errors='replace')[-3000:]}" for path in logs if path.is_file())


def _command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, str(Path(__file__).with_name("impatient.py")), "--profile", "slurm", *arguments)


def _history(path: Path) -> list[dict[str, float]]:
    rows = csv.DictReader(path.read_text().splitlines()) if path.is_file() else []
    return [{name: float(value) for name, value in row.items()} for row in rows]


def small_project(folder: Path) -> Project:
    """Return a copy whose suite is one trained run and the oracle on the tiny data set."""
    project = copy_project(folder, "small")
    (folder / "suites/small.yaml").write_text(SUITE)
    (folder / "papers/controls/tables/small.yaml").write_text(TABLE)
    return project


@dataclass(frozen=True)
class Undisturbed:
    """The small suite, run on this machine without SLURM: what every disturbed one must come to."""

    folder: Path
    trained: str
    """Run id of the one that learns."""
    oracle: str

    def path(self, run_id: str, name: str = "metrics/mars-standard.json") -> str:
        return f"results/runs/tiny-mars/{run_id}/{name}"

    def history(self) -> list[dict[str, float]]:
        """Return a row per epoch of the run that learns."""
        return _history(self.folder / self.path(self.trained, "history.csv"))

    def checkout(self, folder: Path, cluster: Cluster, *, index: bool = True) -> OnCluster:
        """Return a copy that has the rendered data, and their index unless it is to be made."""
        project = small_project(folder)
        shutil.copytree(self.folder / "data", folder / "data")
        if index:
            shutil.copytree(self.folder / "results/index", folder / "results/index")
        return OnCluster(project, cluster)

    def check(self, other: OnCluster, *run_ids: str) -> None:
        """Assert that runs came to the same bytes: weights, curves, metrics."""
        for run_id in run_ids:
            for name in ("model.safetensors", "history.csv", "metrics/mars-standard.json"):
                path = self.path(run_id, name)
                assert (other.folder / path).read_bytes() == (self.folder / path).read_bytes(), path
            status = json.loads((other.folder / self.path(run_id, "status.json")).read_text())
            assert status["state"] == "done"


def run_undisturbed(folder: Path) -> Undisturbed:
    """Run the small suite without SLURM."""
    project = small_project(folder)
    done = project.snakemake("runs")
    assert done.returncode == 0, done.stderr
    lines = {path.parent.name: len(path.read_text().splitlines()) for path in folder.glob("results/runs/*/*/history.csv")}
    (trained,) = [run_id for run_id, count in lines.items() if count > 1]
    (oracle,) = lines.keys() - {trained}
    return Undisturbed(folder=folder, trained=trained, oracle=oracle)


def until(condition: Callable[[], bool], what: str, said: Callable[[], str], *, longest_s: float = 600) -> None:
    """Wait for a condition; fail with everything that was said."""
    deadline = time.monotonic() + longest_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in {longest_s} s:\n{said()}"
        time.sleep(0.2)
