"""A disk that is full, a folder that is read-only, a clock that jumps: one line, code 2, nothing lost, the same bytes later."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reproid.errors import InputError
from reproid.files import atomic_path
from reproid.inference.embed import EmbedJob, embed
from reproid.training import loop
from reproid.training.run import TrainJob, train_run
from support.tracklets import Places, small_run, write_tracklets

BLOCK = 4096


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB, where the machine lets us have one; else a folder, and a write that fails is made up."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def _fill(folder: Path, monkeypatch: pytest.MonkeyPatch, leave: int) -> Callable[[], None]:
    """Use up a disk but for some bytes; return what frees it again. Without a disk of its own, writes fail from now on."""
    if not folder.is_mount():
        return _refuse_writes(monkeypatch, leave)
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * BLOCK
    filler.write_bytes(b"\0" * (free - leave // BLOCK * BLOCK))
    return filler.unlink


def _refuse_writes(monkeypatch: pytest.MonkeyPatch, leave: int) -> Callable[[], None]:
    real = Path.write_bytes

    def write(path: Path, content: bytes) -> int:
        if len(content) > leave:
            raise OSError(28, "No space left on device")
        return real(path, content)

    patch = pytest.MonkeyPatch()
    patch.setattr(Path, "write_bytes", write)
    patch.setattr("numpy.savez", lambda path, **_: write(path, b"x" * (leave + 1)))
    return patch.undo


def _job(places: Places, root: Path, name: str = "run") -> TrainJob:
    return TrainJob(
        run=small_run(), index=places.index, data=places.data, out=root / name, state=root / "state" / name, workers=0
    )


def _bytes(job: TrainJob) -> dict[str, bytes]:
    return {name: (job.out / name).read_bytes() for name in ("model.safetensors", "history.csv", "run.json")}


@pytest.mark.parametrize("leave", [0, 3 * BLOCK, 30 * BLOCK], ids=["nothing-fits", "records-fit", "one-state-fits"])
def test_train_run_on_a_full_disk_ends_in_one_line_and_continues_later(
    places: Places, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: int
) -> None:
    whole, job = _job(places, tmp_path, "whole"), replace(_job(places, small_disk), save_minutes=0)
    train_run(whole)
    free = _fill(small_disk, monkeypatch, leave)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)\. Free some space"):
        train_run(job)
    assert not (job.out / "model.safetensors").exists()
    assert not list(small_disk.rglob("*.partial*"))
    free()
    train_run(job)
    assert _bytes(job) == _bytes(whole)


def test_embed_on_a_full_disk_ends_in_one_line_and_leaves_the_old_file(
    places: Places, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(places, tmp_path)
    train_run(job)
    described = EmbedJob(run=job.out, index=places.index, data=places.data, out=small_disk / "dense.npz", workers=0)
    embed(described)
    before = described.out.read_bytes()
    free = _fill(small_disk, monkeypatch, 0)
    with pytest.raises(InputError, match=r"dense\.npz: cannot be written \(No space left on device\)"):
        embed(described)
    assert described.out.read_bytes() == before
    free()
    embed(described)
    assert described.out.read_bytes() == before


def test_parquet_on_a_full_disk_ends_in_one_line(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not small_disk.is_mount():
        monkeypatch.setattr(pq, "write_table", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    else:
        _fill(small_disk, monkeypatch, 2 * BLOCK)
    table = pa.table({"x": list(range(300_000))})
    message = r"a\.parquet: cannot be written \(.*No space left on device"
    with pytest.raises(InputError, match=message), atomic_path(small_disk / "a.parquet") as temporary:
        pq.write_table(table, temporary)
    assert not [path for path in small_disk.iterdir() if "a.parquet" in path.name]


def test_train_whose_log_is_on_a_full_disk_still_exits_2(places: Places, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(small_run().model_dump_json())
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "reproid", "train", "--run-file", str(tmp_path / "run.json"), "--workers", "0"]
    command += ["--index", str(places.index), "--data", str(places.data), "--state", str(tmp_path / "state")]
    with Path("/dev/full").open("w") as log:
        done = subprocess.run([*command, "--out", str(tmp_path / "file" / "run")], stdout=log, stderr=log, check=False)
    assert done.returncode == 2


def test_train_run_in_a_read_only_place_says_which(places: Places, tmp_path: Path) -> None:
    read_only = tmp_path / "read-only"
    read_only.mkdir()
    if os.geteuid() == 0:  # permissions do not bind root; a read-only mount does
        if not _mount("-t", "tmpfs", "-o", "ro", "tmpfs", str(read_only)):
            read_only = Path("/proc")
    else:
        read_only.chmod(0o500)
    try:
        with pytest.raises(
            InputError, match=r"run\S*: cannot be written \((Read-only file system|Permission denied|No such file.*)\)"
        ):
            train_run(replace(_job(places, tmp_path), out=read_only / "run"))
        with pytest.raises(InputError, match=r"\.run\.lock: cannot be written \((Read-only|Permission|No such)"):
            train_run(replace(_job(places, tmp_path), state=read_only / "state" / "run"))
    finally:
        if read_only.is_mount() and read_only != Path("/proc"):
            subprocess.run(["umount", "-l", str(read_only)], check=True)


def test_train_run_while_the_clock_jumps_gives_the_same_bytes(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, job = _job(places, tmp_path, "whole"), _job(places, tmp_path, "jumping")
    train_run(whole)
    real, calls = time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: real() + (-1) ** next(calls) * 10**7)
    saves = []
    save = loop.StateFolder.save
    monkeypatch.setattr(loop.StateFolder, "save", lambda folder, state: (saves.append(state.epoch), save(folder, state)))
    train_run(job)
    assert _bytes(job) == _bytes(whole)
    assert saves == [1, 2], "once per epoch, whatever the clock says"
