"""What `make restore` does after `dvc pull`: files of any times are marked as current, in a project with many runs."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from reproid.catalog.catalog import load_catalog
from support.project import ROOT


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of 69 runs with every result, at times in no order."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from _large_suite import fill_project, make_project

    make_project(ROOT, tmp_path, 1)
    fill_project(load_catalog(tmp_path))
    rng = random.Random(0)
    for path in sorted([*tmp_path.glob("results/**/*"), *tmp_path.glob("reports/*")]):
        if path.is_file():
            os.utime(path, times=(moment := 1.7e9 + rng.uniform(0, 1000), moment))
    return tmp_path


def say(folder: Path, *command: str) -> str:
    variables = {**os.environ, "REPROID_ROOT": str(folder), "REPROID_DATA": str(folder / "data" / "raw")}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=variables, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_mark_current_leaves_nothing_to_do(fetched: Path) -> None:
    dry = ("-m", "snakemake", "--profile", "local", "--dry-run", "--quiet", "rules", "--", "all")
    assert "Nothing to be done" not in say(fetched, *dry)
    text = (next(fetched.glob("results/runs/*/*/run.json"))).read_bytes()
    say(fetched, str(ROOT / "tools" / "mark_current.py"))
    assert "Nothing to be done" in say(fetched, *dry)
    assert next(fetched.glob("results/runs/*/*/run.json")).read_bytes() == text
