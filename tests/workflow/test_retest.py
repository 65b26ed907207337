"""Rule retest: the rows of a table that differ at test time alone share one training."""

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

from support.project import Project

TABLE = "results/tables/psformer/table-8.json"
THRESHOLDS = ("0.4", "0.6", "0.7", "0.8", "0.9")


@pytest.fixture
def sweep(new_project: Callable[[str], Project]) -> Project:
    """The tiny suite with the sweep of s in place of the ResNet-50."""
    project = new_project("tiny")
    rows = "".join(f"  psformer/threshold-{s}: [mars]\n" for s in THRESHOLDS)
    project.edit("suites/tiny.yaml", "  psformer/resnet50: [mars]\n", f"  psformer/psformer-b: [mars]\n{rows}")
    project.edit("suites/tiny.yaml", "tables: [psformer/table-1,", "tables: [psformer/table-8,")
    project.edit("suites/tiny.yaml", "clips: {frames: 2, height: 32, width: 16}", "clips: {frames: 2, height: 32, width: 32}")
    small = "{width: 16, depth: 3, heads: 2, grid: [2, 2], local_grid: [2, 2], cnn_channels: [2, 3, 4, 5], score_width: 6, "
    small += "warp_width: 5, first_stage: 0.0, pretrained: null}"
    project.edit("suites/tiny.yaml", "options:\n", f"options:\n  psformer: {small}\n")
    return project


def test_six_rows_plan_one_training_and_six_evaluations(sweep: Project) -> None:
    planned = sweep.planned_jobs(TABLE)
    wanted = {"encode": 1, "train": 1, "retest": 5, "embed": 6, "evaluate": 6, "cost": 6, "table": 1}
    assert {rule: planned.get(rule) for rule in wanted} == wanted


def test_a_row_without_the_one_that_trains_plans_its_training(sweep: Project) -> None:
    sweep.edit("suites/tiny.yaml", "  psformer/psformer-b: [mars]\n", "")
    target = _metrics(sweep)[0]
    assert "-" in target
    planned = sweep.planned_jobs(target)
    assert {rule: planned[rule] for rule in ("train", "retest", "embed")} == {"train": 1, "retest": 1, "embed": 1}
    done = sweep.snakemake(target)
    logs = "\n".join(path.read_text() for path in sorted(sweep.folder.glob("results/logs/**/*.log")))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    (folder,) = sweep.folder.glob("results/runs/*/*-*")
    training = folder.with_name(folder.name.partition("-")[0])
    assert (training / "model.safetensors").is_file()
    assert not (folder / "model.safetensors").exists()
    assert json.loads((sweep.folder / target).read_text())["made_with"]["run_id"] == folder.name
    with np.load(folder / "embeddings/dense.npz") as written:
        assert str(written["run_id"]) == folder.name
    # one more threshold trains nothing
    others = [path for path in _metrics(sweep) if path != target]
    more = sweep.planned_jobs(others[0])
    assert more == {"retest": 1, "embed": 1, "evaluate": 1}


def _metrics(project: Project) -> list[str]:
    shown = project.snakemake("--dry-run", TABLE).stdout
    return sorted(set(re.findall(r"results/runs/tiny-mars/[\w-]+/metrics/mars-standard\.json", shown)))
