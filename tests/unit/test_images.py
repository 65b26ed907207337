"""Dockerfile and apptainer.def cannot be built everywhere; what makes them the environment of `make` is checked on their text."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-cuda.txt")
RECIPES = ("Dockerfile", "apptainer.def")
ADDRESS = re.compile(r"://|index-url|find-links|extra-index|trusted-host")


def commands(recipe: str) -> list[str]:
    """Return the shell commands of a recipe, without what is around them."""
    text = (ROOT / recipe).read_text()
    if recipe == "Dockerfile":
        return re.findall(r"^RUN (.*)$", text, flags=re.MULTILINE)
    post = text.partition("%post\n")[2].partition("\n%")[0]
    lines = [line.strip() for line in post.splitlines()]
    return [line for line in lines if line and not line.startswith("#") and line != "set -e"]


def base(recipe: str) -> str:
    (found,) = re.findall(r"^(?:FROM|From:) +(\S+)$", (ROOT / recipe).read_text(), flags=re.MULTILINE)
    return found


def entries(lock: str) -> list[str]:
    text = "\n".join(line for line in (ROOT / lock).read_text().splitlines() if not line.startswith("#"))
    return re.split(r"\n(?=\S)", text.strip())


def test_images_do_the_same() -> None:
    assert commands("Dockerfile") == commands("apptainer.def")
    assert len(commands("Dockerfile")) == 4
    assert base("Dockerfile") == base("apptainer.def")


@pytest.mark.parametrize("recipe", RECIPES)
def test_image_is_based_on_one_exact_python_of_the_project(recipe: str) -> None:
    version = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-bookworm", base(recipe))
    assert version is not None, "an exact version"
    assert f">={version.group(1)}," in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("recipe", RECIPES)
def test_image_installs_the_locks_by_hash_and_nothing_else(recipe: str) -> None:
    installs = [command for command in commands(recipe) if "pip" in command]
    start = "python -m pip install --no-cache-dir --no-deps --require-hashes -r /opt/reproid/"
    assert installs == [f"{start}{lock}" for lock in LOCKS]
    for lock in LOCKS:
        assert f"--no-deps --require-hashes -r {lock}" in (ROOT / "Makefile").read_text(), "what `make` installs"


@pytest.mark.parametrize("recipe", RECIPES)
def test_image_leaves_no_package_lists_and_names_no_address(recipe: str) -> None:
    (apt,) = [command for command in commands(recipe) if "apt-get" in command]
    assert apt.startswith("apt-get update && apt-get install -y --no-install-recommends ")
    assert apt.endswith(" && rm -rf /var/lib/apt/lists/*")
    assert not ADDRESS.search((ROOT / recipe).read_text())


def test_image_gets_the_locks_and_docker_sees_no_other_file() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored == ["*", *(f"!{lock}" for lock in LOCKS)]
    assert f"COPY {' '.join(LOCKS)} /opt/reproid/" in (ROOT / "Dockerfile").read_text()
    files = (ROOT / "apptainer.def").read_text().partition("%files\n")[2].partition("\n\n")[0]
    assert [line.split() for line in files.splitlines()] == [[lock, f"/opt/reproid/{lock}"] for lock in LOCKS]


def test_image_of_docker_runs_as_no_root() -> None:
    (user,) = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert user not in ("0", "root")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_every_package_with_hashes_and_names_no_address(lock: str) -> None:
    for entry in entries(lock):
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]
        assert not ADDRESS.search(entry), entry[:80]


def test_locks_hold_torch_once() -> None:
    names = [entry.partition("==")[0] for lock in LOCKS for entry in entries(lock)]
    assert len(names) == len(set(names))
    assert {"torch", "snakemake", "snakemake-executor-plugin-slurm", "snakemake-executor-plugin-slurm-jobstep"} <= set(names)
