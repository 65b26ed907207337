"""The tiny suite, run once per session; tests read it or change a copy."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.project import Project, copy_project


@pytest.fixture(scope="session")
def _tiny_done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(tmp_path_factory.mktemp("workflow") / "tiny", "tiny")
    done = project.snakemake("all")
    logs = "\n".join(f"== {path}\n{path.read_text()}" for path in sorted(project.folder.glob("results/logs/**/*.log")))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    return project


@pytest.fixture
def tiny_done(_tiny_done: Project) -> Project:
    """The tiny suite, finished. Read only: it is shared."""
    return _tiny_done


@pytest.fixture
def tiny(_tiny_done: Project, tmp_path: Path) -> Project:
    """A copy of the finished tiny suite, with its times: the test may change it."""
    shutil.copytree(_tiny_done.folder, tmp_path / "tiny", symlinks=True)
    return Project(tmp_path / "tiny")


@pytest.fixture
def new_project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes an untouched copy of the project for a suite."""
    return lambda suite: copy_project(tmp_path / suite, suite)
