"""Runs that fail: the others go on, the reason is kept, the report shows it with the command that tries again."""

import html
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from support.project import ROOT, Project

AUTHOR = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
AUTHOR |= {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
PROTOCOL = "mars-standard"
POISON = "    method: resnet50\n    overrides: {train: {optimizer: {lr: 1.0e+30}}}\n"


def outcomes(project: Project) -> dict[str, dict]:
    """Return run id -> its status.json."""
    return {path.parent.name: json.loads(path.read_text()) for path in project.folder.glob("results/runs/*/*/status.json")}


def page(project: Project, run_id: str) -> str:
    """Return the text of a run's page."""
    return html.unescape(re.sub(r"<[^>]+>", "", (project.folder / f"reports/runs/{run_id}.html").read_text()))


def trained_on_images(project: Project) -> list[Path]:
    """Return the folders of runs that learn: their descriptors come from images."""
    found = [path.parent for path in sorted(project.folder.glob("results/runs/*/*/run.json"))]
    settings = {folder: json.loads((folder / "run.json").read_text())["settings"] for folder in found}
    return [folder for folder in found if settings[folder]["method"] == "resnet50"]


def status(project: Project) -> tuple[int, str]:
    done = project.run("reproid", "status", "--check")
    return done.returncode, done.stdout


def under_git_and_dvc(project: Project) -> None:
    for name in (".gitignore", "config", "plots"):
        source, target = ROOT / ".dvc" / name, project.folder / ".dvc" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    assert project.run("git", "init", "--quiet", **AUTHOR).returncode == 0


def test_repro_stops_without_a_reason_and_goes_on_to_the_report_with_one(tiny: Project) -> None:
    under_git_and_dvc(tiny)
    before = outcomes(tiny)
    # the untrained control extends this experiment: a run of its own, that goes on
    tiny.edit("papers/psformer/experiments.yaml", "    method: resnet50\n", POISON)
    tiny.edit("workflow/rules/train.smk", '"reproid train', '"false; reproid train')
    done = tiny.run("dvc", "repro", **AUTHOR)
    assert done.returncode != 0
    assert "runs" in done.stderr
    assert outcomes(tiny) == before, "killed before it could say why"
    code, said = status(tiny)
    assert (code, " missing" in said) == (1, True)

    tiny.edit("workflow/rules/train.smk", '"false; reproid train', '"reproid train')
    done = tiny.run("dvc", "repro", **AUTHOR)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    after = {run_id: left for run_id, left in outcomes(tiny).items() if run_id not in before}
    failed = {run_id: left for run_id, left in after.items() if left["state"] == "failed"}
    assert len(failed) == 1
    assert {left["state"] for left in after.values()} == {"done", "failed"}, "the others must go on"
    code, said = status(tiny)
    assert code == 0
    for run_id, left in failed.items():
        check_failed_training(tiny, run_id, left)
        assert f"{run_id}  tiny-mars  official  seed 0  failed: {left['reason']}" in said
    index = (tiny.folder / "reports/index.html").read_text()
    assert "failed" in index
    tables = [path.read_text() for path in sorted(tiny.folder.glob("results/tables/**/*.json"))]
    assert any('"failed"' in text for text in tables)
    assert "Data and pipelines are up to date" in tiny.run("dvc", "repro", **AUTHOR).stdout


def check_failed_training(project: Project, run_id: str, left: dict) -> None:
    assert "is not finite" in left["reason"]
    log = project.folder / left["log"]
    assert log == project.folder / f"results/logs/train/tiny-mars/{run_id}.log"
    last_line = log.read_text().splitlines()[-1]
    text = page(project, run_id)
    assert left["reason"] in text
    assert last_line in text, "the log's tail"
    assert f"snakemake --profile ${{SNAKEMAKE_PROFILE:-local}} -- results/runs/tiny-mars/{run_id}/metrics/" in text
    assert "CPU" in text.upper(), "the manifest of the failed training"
    (manifest,) = project.folder.glob(f"results/runs/*/{run_id}/failed/manifest.json")
    assert json.loads(manifest.read_text())["run_id"] == run_id


@pytest.fixture
def broken(tiny: Project) -> tuple[Project, Path, Path, Path]:
    """A copy in which one run cannot be embedded and another one not be evaluated: (project, run, run, image)."""
    first, second = trained_on_images(tiny)[:2]
    image = sorted(tiny.folder.glob("data/synthetic/tiny-mars/*/bbox_test/*/*.jpg"))[-1]
    image.with_suffix(".kept").write_bytes(image.read_bytes())
    image.write_bytes(image.read_bytes()[:100])
    for name in ("embeddings", "metrics"):
        shutil.rmtree(first / name)
    (second / "embeddings/dense.npz").write_bytes(b"not an archive")
    return tiny, first, second, image


def test_failed_embedding_and_evaluation_are_shown_and_their_command_mends_them(
    tiny_done: Project, broken: tuple[Project, Path, Path, Path]
) -> None:
    project, first, second, image = broken
    assert project.snakemake("all").returncode == 1
    embedding = json.loads((first / "failed/embed-dense.json").read_text())
    evaluation = json.loads((second / f"failed/evaluate-{PROTOCOL}.json").read_text())
    assert image.name in embedding["reason"]
    assert "dense.npz" in evaluation["reason"]
    code, said = status(project)
    assert code == 0
    assert said.splitlines()[-1].endswith(" done, 2 failed")
    for run, left in ((first, embedding), (second, evaluation)):
        assert left["reason"] in page(project, run.name)
        assert (project.folder / left["log"]).read_text().splitlines()[-1] in page(project, run.name)

    image.with_suffix(".kept").replace(image)
    (second / "embeddings/dense.npz").unlink()
    targets = []
    for run in (first, second):
        command = re.search(r"snakemake --profile \S+ -- (.*)", page(project, run.name))
        assert command is not None
        targets += shlex.split(command.group(1))
    done = project.snakemake("--", *targets)
    assert done.returncode == 0, done.stderr[-3000:]
    for run in (first, second):
        same = tiny_done.folder / run.relative_to(project.folder)
        assert (run / f"metrics/{PROTOCOL}.json").read_bytes() == (same / f"metrics/{PROTOCOL}.json").read_bytes()
        assert not (run / "failed").exists()
    assert status(project)[1].splitlines()[-1].endswith(" done")


def test_page_of_a_run_has_the_command_that_repeats_its_bytes(tiny: Project) -> None:
    run = next(run for run in trained_on_images(tiny) if len((run / "history.csv").read_text().splitlines()) > 1)
    command = re.search(r"reproid train --run-file .*", page(tiny, run.name))
    assert command is not None
    done = tiny.run(*shlex.split(command.group(0)))
    assert done.returncode == 0, done.stderr
    repeated = tiny.folder / "results/repeated" / run.name
    for name in ("model.safetensors", "history.csv", "run.json"):
        assert (repeated / name).read_bytes() == (run / name).read_bytes(), name
    assert tiny.planned_jobs() == {}, "the run itself is not touched"


def test_train_on_other_rendered_data_exits_2_and_names_both(tiny: Project) -> None:
    run = trained_on_images(tiny)[0]
    (data,) = tiny.folder.glob("data/synthetic/tiny-mars/*")
    marker = json.loads((data / "synthetic.json").read_text())
    older = marker["renderer_revision"] - 1
    (data / "synthetic.json").write_text(json.dumps(marker | {"renderer_revision": older}))
    (index,) = tiny.folder.glob("results/index/tiny-mars/*")
    options = ("--run-file", f"{run}/run.json", "--index", str(index), "--data", str(data), "--out", "other")
    done = tiny.run("reproid", "train", *options, "--state", "state")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    expected = rf"data of another declaration; expected renderer revision {older + 1} \(run {run.name}\), "
    assert re.search(expected + rf"got renderer revision {older}\.", done.stderr)
