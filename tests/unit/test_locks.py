import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from reproid.errors import InputError
from reproid.locks import exclusive, holder

CONTEXT = multiprocessing.get_context("fork")


def _hold(path: Path, held: str, release: str) -> None:
    with exclusive(path, "another"):
        Path(held).touch()
        while not Path(release).exists():
            time.sleep(0.01)


def _holder(path: Path) -> tuple[multiprocessing.process.BaseProcess, Path]:
    held, release = path.with_suffix(".held"), path.with_suffix(".release")
    process = CONTEXT.Process(target=_hold, args=(path, str(held), str(release)))
    process.start()
    while not held.exists():
        time.sleep(0.01)
    return process, release


def test_exclusive_alone_waits_for_nobody_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.lock"
    for _ in range(2):
        with exclusive(path, "another") as waited:
            assert path.exists()
            assert not waited
    assert not list(path.parent.iterdir())


def test_exclusive_waits_for_the_holder_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process, release = _holder(tmp_path / "a.lock")
    order = []

    def second() -> None:
        with exclusive(tmp_path / "a.lock", "another process trains run x") as waited:
            order.append((waited, process.is_alive()))

    import threading

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.5)
    assert order == []
    release.touch()
    thread.join(20)
    assert [waited for waited, _ in order] == [True]
    process.join(20)
    assert "reproid: notice: another process trains run x; this process waits for its end" in capfd.readouterr().err
    assert not (tmp_path / "a.lock").exists()


def test_exclusive_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    process, _ = _holder(tmp_path / "a.lock")
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(20)
    with exclusive(tmp_path / "a.lock", "another") as waited:
        assert not waited


def test_holder_is_the_process_until_it_ends_and_one_that_was_killed_stays_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    path = tmp_path / "a.lock"
    assert holder(path) is None
    process, _ = _holder(path)
    found = holder(path)
    assert found is not None
    assert (found.pid, found.slurm_job_id, found.alive) == (process.pid, "4711", True)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(20)
    found = holder(path)
    assert found is not None
    assert (found.pid, found.alive) == (process.pid, False)
    with exclusive(path, "another") as waited:
        assert not waited
        assert (mine := holder(path)) is not None
        assert (mine.pid, mine.alive) == (os.getpid(), True)
    assert holder(path) is None


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"host": "n1"}'], ids=["empty", "half", "list", "no-pid"])
def test_holder_of_a_lock_without_a_name_is_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.lock").write_text(content)
    assert holder(tmp_path / "a.lock") is None


def test_exclusive_many_processes_are_never_two_at_a_time(tmp_path: Path) -> None:
    processes = [CONTEXT.Process(target=_count, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "count").read_text() == "20"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["count"]


def _count(folder: Path) -> None:
    import reproid.locks

    reproid.locks.POLL_S = 0.001
    for _ in range(5):
        with exclusive(folder / "count.lock", "another"):
            path = folder / "count"
            before = int(path.read_text()) if path.exists() else 0
            time.sleep(0.005)
            path.write_text(str(before + 1))


def test_exclusive_where_no_file_can_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = r"file/a\.lock: cannot be written \(File exists\)\. Free some space"
    with pytest.raises(InputError, match=message), exclusive(tmp_path / "file" / "a.lock", "another"):
        pass
