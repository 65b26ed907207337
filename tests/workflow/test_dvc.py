"""DVC over the finished tiny suite: what it keeps, what it runs, what it shows; and a fresh clone."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from support.project import ROOT, Project

AUTHOR = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
AUTHOR |= {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}


def ok(project: Project, *command: str) -> str:
    done = project.run(*command, **AUTHOR)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def trained(project: Project) -> dict[str, int]:
    """Return run id -> time of its training: the manifest is written last."""
    return {path.parent.name: path.stat().st_mtime_ns for path in project.folder.glob("results/runs/*/*/manifest.json")}


def summary(project: Project) -> dict:
    return json.loads((project.folder / "results/summary/metrics.json").read_text())


@pytest.fixture(scope="module")
def under_dvc(_tiny_done: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished tiny suite as a Git repository, its first `dvc repro` behind it."""
    folder = tmp_path_factory.mktemp("dvc") / "tiny"
    shutil.copytree(_tiny_done.folder, folder)
    for name in (".gitignore", "config", "plots"):
        source = ROOT / ".dvc" / name
        (folder / ".dvc").mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / ".dvc" / name)
    project = Project(folder)
    ok(project, "git", "init", "--quiet")
    before = trained(project)
    ok(project, "dvc", "repro")
    assert trained(project) == before, "the first `dvc repro` after the workflow must train nothing"
    ok(project, "git", "add", "--all")
    ok(project, "git", "commit", "--quiet", "--message", "tiny")
    return project


@pytest.fixture
def fresh(under_dvc: Project, tmp_path: Path) -> Project:
    shutil.copytree(under_dvc.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def test_repro_a_second_time_has_nothing_to_do(under_dvc: Project) -> None:
    said = ok(under_dvc, "dvc", "repro")
    assert "Data and pipelines are up to date" in said
    assert "snakemake" not in said


def test_git_holds_the_small_metrics_and_no_result_else(under_dvc: Project) -> None:
    held = ok(under_dvc, "git", "ls-files", "results", "reports", "data").split()
    assert held == ["reports/README.md", "results/README.md", "results/summary/metrics.json"]
    assert not list((under_dvc.folder / ".dvc/cache").rglob("*.safetensors"))


def test_exp_run_three_changes_train_exactly_what_changed_and_show_its_numbers(fresh: Project) -> None:
    first = trained(fresh)
    seen: dict[str, dict] = {"null": summary(fresh)}
    for epochs, new_runs in (("2", 1), ("3", 1), ("2", 0), ("null", 0)):
        before = trained(fresh)
        ok(fresh, "dvc", "exp", "run", "-S", f"overrides.train.epochs={epochs}")
        after = trained(fresh)
        assert {run: time for run, time in after.items() if run in before} == before, "an unchanged run was trained again"
        assert len(after) - len(before) == new_runs, epochs
        assert summary(fresh) == seen.setdefault(epochs, summary(fresh)), "the numbers shown belong to other parameters"
    assert first.items() <= trained(fresh).items()
    assert len({json.dumps(numbers["runs"]) for numbers in seen.values()}) == 3


def test_params_and_metrics_diff_name_the_change(fresh: Project) -> None:
    fresh.edit("params.yaml", "epochs: null", "epochs: 2")
    assert "overrides.train.epochs" in ok(fresh, "dvc", "params", "diff")
    ok(fresh, "dvc", "repro")
    shown = json.loads(ok(fresh, "dvc", "metrics", "diff", "--json"))
    changed = shown["results/summary/metrics.json"]
    assert any(name.startswith("tables.psformer/table-1.ResNet50 / ResNet50.mars-map") for name in changed), sorted(changed)


def test_metrics_show_and_plots_show_what_the_files_say(under_dvc: Project, tmp_path: Path) -> None:
    shown = json.loads(ok(under_dvc, "dvc", "metrics", "show", "--json"))
    shown_runs = shown[""]["data"]["results/summary/metrics.json"]["data"]["runs"]  # DVC leaves nulls out: tables hold some
    assert shown_runs == summary(under_dvc)["runs"]
    ok(under_dvc, "dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots/index.html").read_text()
    assert "DVC_METRIC" not in page, "the template has an anchor that DVC does not know"
    assert page.count("vegaEmbed(") == 2
    with (under_dvc.folder / "results/summary/cmc.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["run"] for row in rows} == set(trained(under_dvc))


def test_restore_in_a_fresh_clone_leaves_nothing_to_do(fresh: Project, tmp_path: Path) -> None:
    ok(fresh, "dvc", "remote", "add", "--default", "local", str(tmp_path / "remote"))
    ok(fresh, "dvc", "push")
    assert not (tmp_path / "remote").exists(), "outputs that may hold restricted data are left to `reproid push`"
    ok(fresh, "reproid", "push")
    ok(fresh, "git", "commit", "--quiet", "--all", "--message", "remote")
    ok(fresh, "git", "clone", "--quiet", str(fresh.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    said = ok(clone, "make", "restore", "PY=python", "--old-file=.venv/.installed")
    assert clone.planned_jobs() == {}
    assert summary(clone) == summary(fresh)
    assert "10 runs verified" in said
