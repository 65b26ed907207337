"""What is made of restricted data sets goes to no remote that is not marked private, with DVC itself as the witness."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reproid.catalog._yaml import load_yaml
from reproid.catalog.datasets import DataSets
from reproid.cli import cli
from reproid.errors import InputError
from reproid.sharing import FRAMES, PRIVATE, check_push, find_restricted, private_remotes, restricted_names


def dvc(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "--quiet", *map(str, arguments)], check=True)


def push(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["push", *map(str, arguments)], catch_exceptions=False)


def test_push_restricted_files_go_to_marked_remotes_alone(project: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    dvc("init", "--no-scm")
    dvc("remote", "add", "--default", "lab", remote)
    (project / "results/runs/tiny-mars").mkdir(parents=True)
    (project / "results/runs/tiny-mars/a.txt").write_text("free")
    dvc("add", "results/runs")
    assert push().exit_code == 0
    assert remote.is_dir()
    before = sorted(remote.rglob("*"))
    (project / "results/runs/mars").mkdir()
    (project / "results/runs/mars/embeddings.npz").write_text("restricted")
    dvc("add", "results/runs")
    message = (
        r"remote 'lab': files of restricted data sets \(mars\) .*got 1 tracked files, the first: results/runs/mars/embeddings.npz"
    )
    for arguments in ([], ["--check"], ["--remote", "lab"]):
        with pytest.raises(InputError, match=message):
            push(*arguments)
    assert sorted(remote.rglob("*")) == before
    (project / PRIVATE).write_text(f"# ours\nlab {tmp_path / 'another'}\n")
    with pytest.raises(InputError, match=message):
        push()
    (project / PRIVATE).write_text(f"lab {remote}\n")
    assert push("--check").exit_code == 0
    assert sorted(remote.rglob("*")) == before
    assert push().exit_code == 0
    assert any(path.is_file() and path.read_bytes() == b"restricted" for path in remote.rglob("*"))
    with pytest.raises(InputError, match=r"unknown DVC remote; expected one of: lab, got 'labb'"):
        push("--remote", "labb")


def lock(root: Path, path: str, members: list[str]) -> None:
    digest = "ab" + "0" * 30 + ".dir"
    (root / "dvc.lock").write_text(
        json.dumps({"schema": "2.0", "stages": {"one": {"outs": [{"path": path, "md5": digest}, {"path": "x", "md5": "1"}]}}})
    )
    cache = root / ".dvc/cache/files/md5/ab"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / digest[2:]).write_text(json.dumps([{"md5": "0", "relpath": name} for name in members]))


@pytest.mark.parametrize(
    ("path", "members", "found"),
    [
        (
            "results/index",
            ["mars/1/tracklets.parquet", "tiny-mars/1/splits.parquet"],
            {"mars": ["results/index/mars/1/tracklets.parquet"]},
        ),
        ("results/masks", ["ls-vid/00000.tar"], {"ls-vid": ["results/masks/ls-vid/00000.tar"]}),
        ("data/raw/prid-2011", ["a.png"], {"prid-2011": ["data/raw/prid-2011", "data/raw/prid-2011/a.png"]}),
        ("reports/datasets", ["mars.html"], {}),
        ("results/runs", ["demo-mars/1/run.json"], {}),
    ],
)
def test_find_restricted_reads_what_tracked_folders_hold(
    tmp_path: Path, path: str, members: list[str], found: dict[str, list[str]]
) -> None:
    lock(tmp_path, path, members)
    assert find_restricted(tmp_path, {"mars", "ls-vid", "prid-2011"}) == found


def test_find_restricted_pages_with_frames_are_found(tmp_path: Path) -> None:
    lock(tmp_path, "reports/assets", ["report.css", FRAMES.rpartition("/")[2]])
    (tmp_path / "reports/assets").mkdir(parents=True)
    (tmp_path / FRAMES).write_text("mars\nown\n")
    assert find_restricted(tmp_path, {"mars", "ls-vid"}) == {"mars": [FRAMES]}
    with pytest.raises(InputError, match="restricted data sets .mars. are not pushed"):
        check_push(tmp_path, "lab", "s3://lab", {"mars"})
    check_push(tmp_path, "lab", "s3://lab", {"ls-vid"})


def test_restricted_names_are_real_sets_that_do_not_say_otherwise(project: Path) -> None:
    datasets = load_yaml(project / "datasets.yaml", DataSets).datasets
    assert restricted_names(datasets) == {"mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid"}
    free = datasets["mars"].model_copy(update={"restricted": False})
    assert "mars" not in restricted_names({**datasets, "mars": free})
    assert free.identity() == datasets["mars"].identity()


def test_private_remotes_other_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / PRIVATE).write_text("lab s3://lab\nlab\n")
    with pytest.raises(InputError, match="private-remotes, line 2: not a remote; expected name address, got lab"):
        private_remotes(tmp_path)
