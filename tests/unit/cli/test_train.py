"""`reproid train` as a scheduler sees it: exit codes, signals, kills. The rest is tested through the API."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from reproid.cli import main
from reproid.training.run import TrainJob, train_run
from support.tracklets import Places, small_run, write_tracklets

RUN = small_run(epochs=2, steps_per_epoch=15)


def _command(folder: Path, places: Places, *options: str) -> list[str]:
    (folder / "run.json").write_text(RUN.model_dump_json())
    where = {"run-file": folder / "run.json", "index": places.index, "data": places.data}
    where |= {"out": folder / "out", "state": folder / "state"}
    return ["reproid", "train", *options, *(part for name, path in where.items() for part in (f"--{name}", str(path)))]


def _child(command: list[str], log: Path) -> None:
    os.setsid()
    os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
    sys.argv = command
    sys.stderr = os.fdopen(2, "w")
    main()


def _start(command: list[str], log: Path) -> ForkProcess:
    """Run the command in a process group of its own; a fork, which has torch loaded already."""
    process = multiprocessing.get_context("fork").Process(target=_child, args=(command, log))
    process.start()
    return process


def _stop(command: list[str], log: Path, state: Path, number: signal.Signals) -> int | None:
    """Start, send the whole process group a signal, as schedulers do, once a state was saved, and return the exit code."""
    before = state.stat().st_mtime_ns if state.exists() else 0
    process = _start(command, log)
    while process.is_alive() and not (state.exists() and state.stat().st_mtime_ns > before):
        time.sleep(0.002)
    assert process.is_alive(), log.read_text()
    os.killpg(process.pid or 0, number)
    process.join(60)
    return process.exitcode


def test_train_killed_and_asked_to_stop_ends_with_the_undisturbed_bytes(tmp_path: Path) -> None:
    places, log, state = write_tracklets(tmp_path), tmp_path / "log", tmp_path / "state" / "state.safetensors"
    train_run(
        TrainJob(run=RUN, index=places.index, data=places.data, out=tmp_path / "whole", state=tmp_path / "other", workers=0)
    )
    command = _command(tmp_path, places, "--save-minutes", "0", "--workers", "2")
    assert _stop(command, log, state, signal.SIGTERM) == 75
    assert "reproid: interrupted by SIGTERM in epoch 1, batch" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert _stop(command, log, state, signal.SIGKILL) == -signal.SIGKILL
    process = _start(command, log)
    process.join(60)
    assert process.exitcode == 0, log.read_text()
    assert "reproid: continues after epoch" in log.read_text(), "perhaps after waiting for workers of the killed one"
    for name in ("model.safetensors", "history.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"run.json", "history.csv", "model.safetensors", "manifest.json", "status.json"}
    assert not state.parent.exists()


def test_train_broken_image_ends_with_one_line_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = write_tracklets(tmp_path)
    for path in places.frames:
        path.write_bytes(b"")
    monkeypatch.setattr(sys, "argv", _command(tmp_path, places, "--workers", "1"))
    with pytest.raises(SystemExit) as left:
        main()
    error = capsys.readouterr().err
    assert left.value.code == 2
    assert error.startswith("reproid: error: ")
    assert error.count("\n") == 1
    assert "not an image; expected a JPEG or PNG file, got an empty file" in error


@pytest.mark.parametrize("command", ["train", "embed"])
def test_help_shows_examples_and_loads_no_torch(command: str) -> None:
    code = (
        f"import sys; sys.argv = ['reproid', '{command}', '--help']; from reproid.cli import main; main(); assert 'torch' not in "
    )
    code += "sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Examples:\n    reproid {command} --run" in done.stdout
