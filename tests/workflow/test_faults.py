"""kill -9 at random moments, then what docs/faults.md says: the same bytes every time.

`make test` kills each once in a row; `make test-faults` (REPROID_FAULT_KILLS=20) also so often from nothing, checking after each.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.kills import Kill, Victim, await_left_behind, kill, random_kills
from support.project import ROOT, Project

SNAKEMAKE = ("snakemake", "--profile", "local", "all")
DVC = ("dvc", "repro")
AUTHOR = {f"GIT_{who}_{what}": "tester@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
AUTHOR |= {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
KILLS = int(os.environ.get("REPROID_FAULT_KILLS", "0"))
VICTIMS: tuple[Victim, ...] = ("training", "snakemake", "dvc")
RESULTS = ("runs/*/*/metrics/*", "runs/*/*/embeddings/*.npz", "runs/*/*/model.safetensors", "runs/*/*/history.csv")
RESULTS += (
    "runs/*/*/inspection/*",
    "runs/*/*/families/*",
    "runs/*/*/run.json",
    "tables/**/*.json",
    "summary/*",
    "index/**/*.parquet",
)


def numbers(project: Project) -> dict[str, bytes]:
    """Return every result file that holds no time and no machine."""
    root = project.folder / "results"
    found = {path for pattern in RESULTS for path in root.glob(pattern) if path.is_file() and ".partial" not in path.name}
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(found)}


def under_git_and_dvc(project: Project) -> None:
    for name in (".gitignore", "config", "plots"):
        source, target = ROOT / ".dvc" / name, project.folder / ".dvc" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    done = project.run("git", "init", "--quiet", **AUTHOR)
    assert done.returncode == 0, done.stderr


def kill_and_tidy(project: Project, plan: Kill) -> tuple[str, ...]:
    """Kill once, then do what the page says; return the command that is to be repeated."""
    command = DVC if plan.victim == "dvc" else SNAKEMAKE
    hit = kill(project, command, plan, **AUTHOR)
    print(f"{plan}: {'hit' if hit else 'it had ended'}")
    if plan.victim == "dvc":
        await_left_behind(project, "snakemake")
    unlocked = project.snakemake("--unlock")
    assert unlocked.returncode == 0, unlocked.stderr
    return command


def repeat(project: Project, command: tuple[str, ...]) -> None:
    done = project.run(*command, **AUTHOR)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def check(project: Project, undisturbed: Project, plan: Kill) -> None:
    expected, found = numbers(undisturbed), numbers(project)
    assert len(expected) > 10
    assert found.keys() == expected.keys(), plan
    assert not [name for name in expected if found[name] != expected[name]], plan
    assert project.planned_jobs() == {}, plan
    states = [json.loads(path.read_text())["state"] for path in project.folder.glob("results/runs/*/*/status.json")]
    assert set(states) == {"done"}, plan
    assert not list((project.folder / "results").glob("state/*")), plan


def took_s(project: Project) -> float:
    """Return how long the undisturbed suite took: from the copy's params.yaml to its report."""
    return (project.folder / "reports/index.html").stat().st_mtime - (project.folder / "params.yaml").stat().st_mtime


def half_done(tiny_done: Project, folder: Path) -> Project:
    """Return a copy of the finished suite that lacks one trained run and all that follows from it."""
    shutil.copytree(tiny_done.folder, folder, symlinks=True)
    trained = [path for path in sorted(folder.glob("results/runs/*/*/run.json")) if '"epochs": 1' in path.read_text()]
    shutil.rmtree(trained[0].parent)
    for name in ("tables", "summary"):
        shutil.rmtree(folder / "results" / name)
    (folder / "reports/index.html").unlink()
    return Project(folder)


@pytest.mark.faults
def test_kill_of_each_in_a_row_then_the_same_command_gives_the_same_bytes(tiny_done: Project, tmp_path: Path) -> None:
    project = half_done(tiny_done, tmp_path / "tiny")
    under_git_and_dvc(project)
    plans = random_kills(37, VICTIMS, {"training": 3.0, "snakemake": 8.0, "dvc": 8.0})
    for plan in plans:
        command = kill_and_tidy(project, plan)
    repeat(project, command)
    check(project, tiny_done, plans[-1])


if KILLS:  # a parametrised test without parameters would count as skipped, which CI forbids

    @pytest.mark.faults
    @pytest.mark.parametrize("number", range(KILLS))
    def test_kill_from_nothing_then_the_same_command_gives_the_same_bytes(
        tiny_done: Project, new_project: Callable[[str], Project], number: int
    ) -> None:
        undisturbed_s = took_s(tiny_done)
        longest: dict[Victim, float] = {"training": 5.0, "snakemake": undisturbed_s, "dvc": undisturbed_s}
        (plan,) = random_kills(number, (VICTIMS[number % 3],), longest)
        project = new_project("tiny")
        under_git_and_dvc(project)
        repeat(project, kill_and_tidy(project, plan))
        check(project, tiny_done, plan)
        shutil.rmtree(project.folder)
