import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reproid.errors import InputError
from reproid.files import write_json
from reproid.seeds import derive_seed
from reproid.training.digests import data_sha256, file_sha256
from reproid.training.manifest import Manifest, derived_seeds, environment, hardware, peak_memory_mib, read_manifest
from support.tracklets import write_tracklets


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        **environment(),
        run_id="0123456789ab",
        code_sha256="c",
        data_sha256="d",
        weights="none",
        device="cpu",
        threads=1,
        workers=2,
        wall_s=1.5,
        sessions=1,
        peak_memory_mib=peak_memory_mib(),
        peak_gpu_memory_mib=None,
        seeds=derived_seeds(7),
    )


def test_manifest_round_trip_keeps_every_field(manifest: Manifest, tmp_path: Path) -> None:
    manifest.write(tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == manifest


def test_manifest_states_packages_seeds_and_memory(manifest: Manifest) -> None:
    assert manifest.packages["torch"].startswith("2.")
    assert manifest.seeds["order"] == derive_seed(7, "order")
    assert {"init", "order", "sampling", "augmentation", "augmentation/model"} == manifest.seeds.keys()
    assert manifest.seeds["augmentation/model"] == derive_seed(7, "augmentation", "model")
    assert 10 < manifest.peak_memory_mib < 100_000
    assert manifest.hardware.cores == len(os.sched_getaffinity(0))
    assert manifest.hardware.cpu


@pytest.mark.parametrize(
    "change",
    [lambda value: value | {"schema": 99}, lambda value: {"schema": 1}, lambda value: [value]],
    ids=["schema", "fields", "list"],
)
def test_read_manifest_of_another_kind_is_refused(manifest: Manifest, tmp_path: Path, change: Any) -> None:
    manifest.write(tmp_path / "manifest.json")
    write_json(tmp_path / "manifest.json", change(json.loads((tmp_path / "manifest.json").read_text())))
    with pytest.raises(InputError, match=r"manifest\.json: not a manifest of this version; expected schema 1, got schema"):
        read_manifest(tmp_path / "manifest.json")


def test_environment_in_a_slurm_job_holds_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4242")
    monkeypatch.setattr(sys, "argv", ["/some/where/reproid/__main__.py", "train", "--run-id", "x"])
    facts = environment()
    assert facts["slurm_job_id"] == "4242"
    assert facts["argv"] == ("reproid", "train", "--run-id", "x")


def test_environment_in_a_clone_holds_commit_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        done = subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    monkeypatch.setattr("reproid.training.manifest.reproid.__file__", str(tmp_path / "src" / "reproid" / "__init__.py"))
    assert environment()["git_commit"] is None
    git("init", "-q")
    (tmp_path / "requirements.txt").write_text("torch\n")
    git("add", "requirements.txt")
    git("commit", "-qm", "first")
    clean = environment()
    assert (clean["git_commit"], clean["git_dirty"]) == (git("rev-parse", "HEAD"), False)
    assert clean["locks"] == {"requirements.txt": file_sha256(tmp_path / "requirements.txt")}
    (tmp_path / "requirements.txt").write_text("numpy\n")
    assert environment()["git_dirty"] is True


def test_manifest_module_needs_no_torch() -> None:
    code = "import sys, reproid.training.manifest as m; h = m.hardware(); assert 'torch' not in sys.modules; print(h.gpu)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_hardware_with_a_gpu_names_it_and_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cuda:
        is_available = staticmethod(lambda: True)
        get_device_name = staticmethod(lambda: "Some GPU")

    class Torch:
        cuda = Cuda
        version = type("version", (), {"cuda": "12.8"})

    text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  Wed Feb 26 2025\n"
    real = Path.read_text
    monkeypatch.setitem(sys.modules, "torch", Torch)
    monkeypatch.setattr(Path, "read_text", lambda p, **k: text if str(p) == "/proc/driver/nvidia/version" else real(p, **k))
    found = hardware()
    assert (found.gpu, found.driver, found.cuda) == ("Some GPU", "570.124.06", "12.8")


def test_data_sha256_is_of_content_not_of_files(tmp_path: Path) -> None:
    index = write_tracklets(tmp_path).index
    before = data_sha256(index)
    table = pq.read_table(index / "tracklets.parquet")
    pq.write_table(table, index / "tracklets.parquet", compression="none", row_group_size=3)
    assert data_sha256(index) == before


@pytest.mark.parametrize(
    ("column", "value"), [("tracklet_id", "x"), ("pid", 77), ("camid", 5), ("frames", ["x.png"])], ids=lambda value: str(value)
)
def test_data_sha256_changes_with_each_column(tmp_path: Path, column: str, value: object) -> None:
    index = write_tracklets(tmp_path).index
    before = data_sha256(index)
    table = pq.read_table(index / "tracklets.parquet")
    field = table.schema.field(column)
    values = pa.array([value, *table.column(column).to_pylist()[1:]], field.type)
    changed = table.set_column(table.schema.get_field_index(column), field, values)
    pq.write_table(changed, index / "tracklets.parquet")
    assert data_sha256(index) != before


def test_data_sha256_of_a_missing_index_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tracklets\.parquet: index file cannot be read\. Make the index again"):
        data_sha256(tmp_path)


def test_file_sha256_of_nothing_is_none(tmp_path: Path) -> None:
    assert file_sha256(tmp_path / "none") is None
