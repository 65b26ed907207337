"""The tiny suite through Snakemake, and which jobs run after which change (docs/what-runs-again.md)."""

import json
import re
from collections.abc import Callable

import pytest

from reproid.catalog.synthetic import RENDERER_REVISION
from support.project import ROOT, Project

RULES = {"render", "index", "train", "embed", "evaluate", "cost", "table", "summary", "report"}
RUNS, ON_MARS, TRAINED = 10, 6, 1  # on MARS the ResNet-50, trained and not, and four controls; one control in the other layouts
SETS = 5


def scored(runs: int) -> dict[str, int]:
    """Return the jobs of so many new runs, without the tables."""
    return {"train": runs, "embed": runs, "evaluate": runs, "summary": 1}


PAGES = {"table": 3, "report": 1, "all": 1}
MARS_PAGES = PAGES | {"table": 2}  # controls/table-2 shows the histogram alone


def touch(project: Project, pattern: str) -> None:
    """Give files the time of now, as a `git pull` does to what it brings."""
    paths = sorted(project.folder.glob(pattern))
    assert paths
    for path in paths:
        path.touch()


def test_tiny_runs_every_rule_once_and_leaves_no_other_files(tiny_done: Project) -> None:
    logs = tiny_done.folder / "results/logs"
    assert {path.relative_to(logs).parts[0].split(".")[0] for path in logs.glob("**/*.log")} == RULES
    assert not list(tiny_done.folder.glob("results/**/.*.partial*"))


def test_tiny_every_rule_has_log_and_benchmark(tiny_done: Project) -> None:
    text = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    rules = dict(re.findall(r"^rule (\w+):\n((?:    .*\n|\n(?=    ))+)", text, flags=re.MULTILINE))
    working = {name: body for name, body in rules.items() if "shell:" in body}
    # in the tiny suite no method reads what encode makes, no data set is real, and no run shares a training
    unused = {"pages", "encode", "obtain", "retest"}
    assert set(working) == RULES | unused
    for name, body in working.items():
        assert "log:" in body, name
        assert "benchmark:" in body or name == "pages", name  # pages has no output, and so no benchmark


def test_tiny_second_time_has_nothing_to_do(tiny_done: Project) -> None:
    assert tiny_done.planned_jobs() == {}
    assert "Nothing to be done" in tiny_done.snakemake("all").stderr


def test_tiny_summary_is_what_the_metrics_files_say(tiny_done: Project) -> None:
    summary = json.loads((tiny_done.folder / "results/summary/metrics.json").read_text())
    assert len(summary["runs"]) == RUNS
    for run_id in summary["runs"]:
        (path,) = tiny_done.folder.glob(f"results/runs/*/{run_id}/metrics/*.json")
        metrics = json.loads(path.read_text())
        assert 0 < metrics["map"] <= 1
        kept = summary["runs"][run_id]["protocols"][path.stem]
        assert kept == {"revision": 1, **{key: pytest.approx(metrics[key], abs=1e-6) for key in kept if key != "revision"}}


def test_tiny_one_table_is_a_target(new_project: Callable[[str], Project]) -> None:
    jobs = new_project("tiny").planned_jobs("results/tables/controls/table-1.json")
    assert jobs == {"render": 1, "index": 1, "train": 6, "embed": 6, "evaluate": 6, "table": 1}


def test_suite_other_than_that_of_params_is_a_target(tiny: Project) -> None:
    assert tiny.planned_jobs("suite_tiny") == {}
    assert tiny.planned_jobs("suite_demo")["train"] >= 4
    assert tiny.planned_jobs("suite_paper").keys() == {"cost", "suite_paper"}, "absent data sets must create no jobs"


@pytest.mark.parametrize("pattern", ["papers/*/experiments.yaml", "suites/*", "datasets.yaml", "workflow/*/*.smk", "params.yaml"])
def test_git_pull_new_times_run_nothing(tiny: Project, pattern: str) -> None:
    touch(tiny, pattern)
    assert tiny.planned_jobs() == {}


@pytest.mark.parametrize(
    ("path", "old", "new", "jobs"),
    [
        (
            "params.yaml",
            "epochs: null",
            "epochs: 2",
            {**scored(TRAINED), **MARS_PAGES},  # what is not trained stays as it is
        ),
        ("params.yaml", "seeds: null", "seeds: [5]", {**scored(RUNS), **PAGES}),
        ("params.yaml", "seeds: null", "seeds: [0, 5]", {**scored(RUNS), **PAGES}),
        ("papers/psformer/tables/table-1.yaml", "81.0", "81.1", {"table": 1, "report": 1, "all": 1}),
        ("workflow/rules/train.smk", "reproid train", "reproid  train", {}),
        ("src/reproid/training/loop.py", '"""', '"""A word more. ', {}),
        ("src/reproid/models/resnet50/method.yaml", "revision: 1", "revision: 2", {**scored(2), "cost": 1, **MARS_PAGES}),
        (
            "src/reproid/retrieval/protocols/mars-standard.yaml",
            "revision: 1",
            "revision: 2",
            {"evaluate": ON_MARS, "summary": 1, **PAGES},
        ),
        (
            "src/reproid/catalog/synthetic.py",
            f"RENDERER_REVISION: int = {RENDERER_REVISION}",
            "RENDERER_REVISION: int = 999",
            {"render": SETS, "index": SETS, **scored(RUNS), **PAGES},
        ),
        ("datasets.yaml", "seed: 2", "seed: 3", {"render": 1, "index": 1, **scored(ON_MARS), **PAGES}),
        (
            "suites/tiny.yaml",
            "cost: {batches: []}",
            "cost: {batches: [2], repeats: 1}",
            {"cost": 1, "summary": 1, **PAGES, "table": 1},
        ),
        (
            "papers/psformer/experiments.yaml",
            "clips: {frames: 8",
            "clips: {frames: 4",
            {"cost": 1, "summary": 1, **PAGES, "table": 1},
        ),
        ("datasets.yaml", "title: tiny", "title: small", {}),
        ("papers/controls/tables/table-1.yaml", "title: What must", "title: What should", {"table": 1, "report": 1, "all": 1}),
    ],
    ids=[
        *(
            "parameter",
            "seed",
            "one-seed-more",
            "printed-number",
            "shell-command",
            "code",
            "method-revision",
            "protocol-revision",
        ),
        *("renderer-revision", "synthetic-parameter", "timing", "option-of-the-paper", "title-of-data", "title-of-table"),
    ],
)
def test_change_runs_exactly_what_it_should(tiny: Project, path: str, old: str, new: str, jobs: dict[str, int]) -> None:
    tiny.edit(path, old, new)
    assert tiny.planned_jobs() == jobs


def test_mistake_in_params_is_one_line_and_code_2(tiny: Project) -> None:
    tiny.edit("params.yaml", "suite: tiny", "suite: tny")
    done = tiny.snakemake("--dry-run")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(r"reproid: error: .*params\.yaml, key 'suite': unknown suite; .*Did you mean 'tiny'\?", done.stderr)


def test_broken_image_stops_its_run_with_the_file_named(tiny: Project) -> None:
    image = sorted(tiny.folder.glob("data/synthetic/tiny-mars/*/bbox_train/*/*.jpg"))[0]
    image.write_bytes(image.read_bytes()[:100])
    tiny.edit("params.yaml", "epochs: null", "epochs: 2")
    done = tiny.snakemake("all")
    assert done.returncode == 1
    failed = [json.loads(path.read_text()) for path in tiny.folder.glob("results/runs/*/*/status.json")]
    reasons = [status["reason"] for status in failed if status["state"] == "failed"]
    assert len(reasons) == TRAINED
    assert all(image.name in reason for reason in reasons)
    assert "failed" in (tiny.folder / "reports/index.html").read_text()
