import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reproid.errors import InputError
from reproid.outcomes import current_log, outcome, recorded


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (InputError("image not found", where="a.jpg"), "failed", "a.jpg: image not found."),
        (MemoryError("too much"), "failed", "MemoryError: too much"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt: "),
    ],
    ids=["mistake", "error", "interrupted"],
)
def test_recorded_failure_is_left_and_passed_on(run: Path, error: BaseException, state: str, reason: str) -> None:
    with pytest.raises(type(error)), recorded(run, "embed-dense"):
        raise error
    left = json.loads((run / "failed" / "embed-dense.json").read_text())
    assert (left["state"], left["reason"]) == (state, reason)


def test_recorded_success_removes_what_an_earlier_try_left(run: Path) -> None:
    with pytest.raises(InputError), recorded(run, "embed-dense"):
        raise InputError("broken")
    with recorded(run, "embed-dense"):
        assert not (run / "failed").exists(), "a try that is killed leaves no reason"
    assert [path.name for path in run.iterdir()] == ["run.json"]


def test_recorded_success_leaves_the_failures_of_other_steps(run: Path) -> None:
    with pytest.raises(InputError), recorded(run, "evaluate-mars-standard"):
        raise InputError("broken")
    with recorded(run, "embed-dense"):
        pass
    assert [path.name for path in (run / "failed").iterdir()] == ["evaluate-mars-standard.json"]


def test_recorded_outside_a_run_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError), recorded(tmp_path, "evaluate-x"):
        raise InputError("broken")
    assert not list(tmp_path.iterdir())


def test_recorded_in_a_folder_that_cannot_be_cleaned_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    message = r"failed/embed-dense\.json: cannot be written \(Read-only file system\)\. Make"
    with pytest.raises(InputError, match=message), recorded(run, "embed-dense"):
        pass


@pytest.mark.parametrize("below", [True, False], ids=["below", "elsewhere"])
def test_current_log_is_the_file_that_stderr_goes_to(tmp_path: Path, below: bool) -> None:
    (tmp_path / "here").mkdir()
    log = tmp_path / ("here" if below else "") / "train.log"
    with log.open("w") as file:
        code = "import sys; from reproid.outcomes import current_log; sys.stdout.write(str(current_log()))"
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path / "here", env=environment, stdout=subprocess.PIPE, stderr=file, check=True
        )
    assert done.stdout.decode() == ("train.log" if below else str(log))


def test_outcome_without_a_log_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fstat", lambda handle: os.stat(os.devnull))  # noqa: PTH116
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert current_log() is None
    assert outcome("done") == {"state": "done", "reason": None, "log": None, "slurm_job_id": None}


def test_outcome_in_a_slurm_job_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    assert outcome("failed", "why")["slurm_job_id"] == "4711"
