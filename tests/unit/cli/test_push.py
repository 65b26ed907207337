"""What is made of restricted data sets goes to no remote that is not marked private, with DVC itself as the witness."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from reproid.catalog._yaml import load_yaml
from reproid.catalog.datasets import DataSets
from reproid.cli import cli
from reproid.errors import InputError
from reproid.sharing import FRAMES, PRIVATE, check_push, find_restricted, private_remotes, restricted_names
from reproid.tracked import TrackedFile

ROOT = Path(__file__).resolve().parents[3]


STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
OUTPUTS = [
    next(iter(one.items())) if isinstance(one, dict) else (one, {})
    for stage in STAGES.values()
    for one in (*stage["outs"], *stage.get("metrics", ()), *stage.get("plots", ()))
]


def dvc(*arguments: object) -> str:
    command = [sys.executable, "-m", "dvc", *map(str, arguments)]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def git(*arguments: str) -> None:
    who = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def push(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["push", *map(str, arguments)], catch_exceptions=False)


def held(remote: Path) -> set[str]:
    return {path.read_text() for path in remote.rglob("*") if path.is_file()}


@pytest.fixture
def repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the shipped outputs, all made, two remotes and a Git remote; its commands and dependencies are left out."""
    for name, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "DVC_NO_ANALYTICS": "1"}.items():
        monkeypatch.setenv(name, value)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    git("init", "--quiet")
    dvc("init", "--quiet")
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, name)
    plain = {
        name: {"cmd": "true", **{k: v for k, v in stage.items() if k in ("outs", "metrics")}} for name, stage in STAGES.items()
    }
    plain["runs"]["outs"] += [{path: {"push": flags["push"]}} for path, flags in OUTPUTS if path.endswith(".csv")]
    Path("dvc.yaml").write_text(json.dumps({"stages": plain}))
    for path, _ in OUTPUTS:
        made = Path(path) if Path(path).suffix else Path(path, "mars/secret.txt")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(f"made of MARS: {path}")
    Path(FRAMES).write_text("mars\n")
    dvc("commit", "--force", "--quiet")
    for name in ("public", "lab"):
        dvc("remote", "add", name, tmp_path / name)
    dvc("remote", "default", "public")
    git("init", "--quiet", "--bare", str(tmp_path / "git"))
    git("remote", "add", "origin", str(tmp_path / "git"))
    git("add", "--all")
    git("commit", "--quiet", "--message", "made")
    return project


def test_plain_dvc_sends_nothing_that_may_be_restricted_and_a_private_remote_gets_all(repository: Path, tmp_path: Path) -> None:
    Path("results/runs/mars/second.txt").write_text("made of MARS, too")
    dvc("commit", "--force", "--quiet")
    dvc("exp", "save", "--name", "second")
    for command in (
        *(
            "push",
            "push --remote public",
            "push results/runs",
            "push --all-commits --all-branches --all-tags",
            "push --run-cache",
        ),
        *("push --recursive results", "push --with-deps report", "exp push origin second", "exp push --all-commits origin"),
    ):
        dvc(*command.split())
    assert not held(tmp_path / "public")
    with pytest.raises(InputError, match="remote 'public': files of restricted data sets .mars. are not pushed"):
        push()
    assert not held(tmp_path / "public")
    (repository / PRIVATE).write_text(f"lab {tmp_path / 'lab'}\n")
    assert "files pushed" in push("--remote", "lab").output
    sent = {f"made of MARS: {path}" for path, flags in OUTPUTS if flags.get("cache", True)} | {"made of MARS, too", "mars\n"}
    assert sent <= held(tmp_path / "lab")
    assert not held(tmp_path / "public")
    shutil.rmtree(".dvc/cache")
    shutil.rmtree("results/runs")
    dvc("pull", "--remote", "lab")
    assert Path("results/runs/mars/second.txt").read_text() == "made of MARS, too"


def test_every_output_of_every_stage_is_left_to_reproid_push() -> None:
    kept = [path for path, flags in OUTPUTS if flags.get("cache", True)]
    assert [path for path, flags in OUTPUTS if flags.get("cache", True) and flags.get("push") is not False] == []
    assert {"data/synthetic", "results/index", "results/runs", "results/media", "reports/runs"} <= set(kept)


@pytest.mark.parametrize(
    "path", ["data/raw/mars", "data/packed/mars.tar", "data/own/x.mp4", "results/masks", "results/priors.tar"]
)
def test_dvc_add_refuses_what_no_stage_makes(project: Path, path: str) -> None:
    dvc("init", "--no-scm", "--quiet")
    shutil.copy(ROOT / ".dvcignore", ".dvcignore")
    made = Path(path) if Path(path).suffix else Path(path, "0001.jpg")
    made.parent.mkdir(parents=True)
    made.write_text("frame")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        dvc("add", path)
    assert "ignored" in caught.value.stderr
    assert not list(project.rglob("*.dvc/cache/files/*"))


def test_push_restricted_files_go_to_marked_remotes_alone(project: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    dvc("init", "--no-scm")
    dvc("config", "cache.dir", tmp_path / "cache elsewhere")
    dvc("remote", "add", "--default", "lab", remote)
    (project / "results/runs/tiny-mars").mkdir(parents=True)
    (project / "results/runs/tiny-mars/a.txt").write_text("free")
    dvc("add", "results/runs")
    assert "2 files pushed" in push().output
    before = sorted(remote.rglob("*"))
    (project / "results/runs/mars").mkdir()
    (project / "results/runs/mars/embeddings.npz").write_text("restricted")
    dvc("add", "results/runs")
    shutil.rmtree(project / "results/runs/mars")  # what DVC keeps counts, not what lies there
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
    assert "restricted" in held(remote)
    with pytest.raises(InputError, match=r"unknown DVC remote; expected one of: lab, got 'labb'"):
        push("--remote", "labb")


def test_push_list_of_a_folder_that_is_lost_is_said(project: Path, tmp_path: Path) -> None:
    dvc("init", "--no-scm")
    dvc("remote", "add", "--default", "lab", tmp_path / "remote")
    (project / "results/runs/mars").mkdir(parents=True)
    (project / "results/runs/mars/a.txt").write_text("restricted")
    dvc("add", "results/runs")
    shutil.rmtree(project / ".dvc/cache")
    with pytest.raises(InputError, match="remote 'lab': DVC cannot push; got .*without cache for directory"):
        push()
    assert not (tmp_path / "remote").exists() or not held(tmp_path / "remote")


def file(root: Path, path: str, content: str = "") -> TrackedFile:
    cached = root / "cache" / path.replace("/", "_")
    cached.parent.mkdir(exist_ok=True)
    cached.write_text(content)
    return TrackedFile(path=path, cached=cached)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("results/index/mars/1/tracklets.parquet", ["mars"]),
        ("results/index/tiny-mars/1/splits.parquet", []),
        ("results/masks/ls-vid/00000.tar", ["ls-vid"]),
        ("results/masks/ls-vid.tar.gz", ["ls-vid"]),
        ("data/raw/prid-2011", ["prid-2011"]),
        ("reports/datasets/mars.html", []),
        ("results/runs/demo-mars/1/run.json", []),
    ],
)
def test_find_restricted_looks_at_every_part_of_the_path(tmp_path: Path, path: str, found: list[str]) -> None:
    assert find_restricted([file(tmp_path, path)], {"mars", "ls-vid", "prid-2011"}) == {name: [path] for name in found}


def test_find_restricted_pages_with_frames_are_found_by_what_dvc_keeps(tmp_path: Path) -> None:
    pages = [file(tmp_path, "reports/assets/report.css"), file(tmp_path, FRAMES, "mars\nown\n")]
    assert find_restricted(pages, {"mars", "ls-vid"}) == {"mars": [FRAMES]}
    with pytest.raises(InputError, match="restricted data sets .mars. are not pushed"):
        check_push(tmp_path, pages, ("lab", "s3://lab"), {"mars"})
    check_push(tmp_path, pages, ("lab", "s3://lab"), {"ls-vid"})


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
