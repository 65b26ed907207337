from pathlib import Path

import pytest
from click.testing import CliRunner

from reproid.catalog.synthetic import SyntheticSpec
from reproid.cli.data import data
from reproid.errors import InputError
from reproid.synthetic.render import render_dataset
from reproid.training.digests import data_sha256

SPEC = SyntheticSpec(train_persons=4, test_persons=4, cameras=2, frames=(2, 3), height=32, width=16)


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(data, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_pack_then_index_and_verify(tmp_path: Path) -> None:
    root = render_dataset(SPEC, tmp_path / "set").folder
    (root / "set.zip").write_bytes(b"")
    n = len(list(root.rglob("*.jpg")))
    packed = f"{n} images in 1 shards, 7 other files; left out: set.zip"
    assert f"packed: packed; {packed}" in _run("pack", "--root", root, "--out", tmp_path / "packed")
    assert f"packed: there already; {packed}" in _run("pack", "--root", root, "--out", tmp_path / "packed")
    assert f"packed: {n} images, all as they were packed" in _run("pack", "--out", tmp_path / "packed", "--verify")
    for name in ("set", "packed"):
        _run("index", "--dataset", "mine", "--layout", "mars", "--root", tmp_path / name, "--out", tmp_path / f"i-{name}")
    assert data_sha256(tmp_path / "i-packed") == data_sha256(tmp_path / "i-set")
    assert _run("sheet", "--root", tmp_path / "packed", "--out", tmp_path / "sheet.png")


def test_pack_help_shows_examples() -> None:
    text = _run("pack", "--help")
    assert "Examples:" in text
    assert "reproid data pack --root data/raw/mars --out data/packed/mars" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "x"), "--root: no data set given. Give --root, or --verify to check a packed one"),
        (("--out", "x", "--root", "y", "--verify"), "--verify takes --out alone"),
        (("--out", "x", "--root", "y"), "y: data folder not found"),
        (("--out", "x", "--verify"), "x/shards/index.arrow: no index of shards"),
    ],
    ids=["no root", "verify and root", "missing", "not packed"],
)
def test_pack_user_mistake_is_one_line(tmp_path: Path, monkeypatch, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        _run("pack", *arguments)
    assert not list(tmp_path.iterdir())
