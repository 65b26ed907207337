"""Stage media: test clips are encoded once for methods that require groups of pictures, and for no other."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.moving import FOLDER
from support.project import Project

TABLE = "results/tables/psformer/table-1.json"


def test_a_suite_without_such_methods_plans_no_media(new_project: Callable[[str], Project]) -> None:
    project = new_project("tiny")
    assert project.planned_jobs("media") == {"media": 1}, "the target itself, which does nothing"
    assert "encode" not in project.planned_jobs()


@pytest.fixture
def moving(new_project: Callable[[str], Project]) -> Project:
    """The tiny suite with a method that requires groups of pictures in place of the ResNet-50 of PSFormer's Table I."""
    project = new_project("tiny")
    shutil.copytree(FOLDER / "moving", project.folder / "src/reproid/models/moving", ignore=shutil.ignore_patterns("__pycache__"))
    project.edit("papers/psformer/experiments.yaml", "  resnet50:\n    method: resnet50", "  resnet50:\n    method: moving")
    project.edit("suites/tiny.yaml", "controls/resnet50-untrained: [mars]", "psformer/resnet50: [mars]")
    project.edit("suites/tiny.yaml", "  psformer/resnet50: [mars]\n", "")
    project.edit("suites/tiny.yaml", "clips: {frames: 2, height: 32, width: 16}", "clips: {frames: 2, height: 32, width: 32}")
    return project


def test_media_are_made_once_and_read_by_embed(moving: Project) -> None:
    metrics = re.findall(r"results/runs/tiny-mars/\w+/metrics/mars-standard\.json", moving.snakemake("--dry-run", TABLE).stdout)
    target = metrics[0]
    planned = moving.planned_jobs(target)
    assert {rule: planned[rule] for rule in ("encode", "train", "embed")} == {"encode": 1, "train": 1, "embed": 1}
    done = moving.snakemake(target)
    logs = "\n".join(path.read_text() for path in sorted(moving.folder.glob("results/logs/**/*.log")))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert moving.planned_jobs(target) == moving.planned_jobs("media") == {}
    (media,) = moving.folder.glob("results/media/*/*/media.json")
    about = json.loads(media.read_text())
    assert media.parent.name == about["plan"]["media_id"]
    assert about["counts"]["clips"] >= about["counts"]["tracklets"] > 0
    # embed read the motion from there: with other vectors stored it finds other descriptors
    (run,) = moving.folder.glob("results/runs/*/*")
    (written,) = run.glob("embeddings/*.npz")
    assert described(moving, run, "again.npz") == written.read_bytes()
    set_aside = media.parent.with_name("aside")
    media.parent.rename(set_aside)
    assert described(moving, run, "in-place.npz") == written.read_bytes(), "motion found in place gives other descriptors"
    zero_motion(set_aside / "clips.parquet")
    set_aside.rename(media.parent)
    assert described(moving, run, "other.npz") != written.read_bytes()


def described(project: Project, run: Path, name: str) -> bytes:
    done = project.run("reproid", "embed", "--run", str(run), "--out", str(project.folder / "out/x" / name), "--threads", "1")
    assert done.returncode == 0, done.stderr
    return (project.folder / "out/x" / name).read_bytes()


def zero_motion(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    rows = table.to_pylist()
    other = pa.Table.from_pylist([row | {"motion": [8] * len(row["motion"])} for row in rows], table.schema)
    pq.write_table(other, path)
