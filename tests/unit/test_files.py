import json
from pathlib import Path

import pytest

from reproid.errors import InputError
from reproid.files import atomic_path, read_json, write_json, write_text


def test_atomic_path_block_fails_leaves_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [target]


def test_atomic_path_suffix_kept_for_writers_that_choose_by_it(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "deep" / "a.parquet") as temporary:
        assert temporary.suffix == ".parquet"
        temporary.write_bytes(b"x")
    assert (tmp_path / "deep" / "a.parquet").read_bytes() == b"x"


def test_write_text_folder_is_a_file_raises_with_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/a\.txt: cannot be written .*Free some space or choose another folder"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_write_text_disk_full_raises_and_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left on device\)"):
        write_text(target, "new")
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_write_json_nan_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"map": float("nan")})
    assert not list(tmp_path.iterdir())


def test_read_json_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, 0.5, None]})
    assert read_json(tmp_path / "a.json") == {"é": [1, 0.5, None]}
    assert json.loads((tmp_path / "a.json").read_text()) == {"é": [1, 0.5, None]}


@pytest.mark.parametrize(("text", "match"), [(None, "file not found"), ("{", "not a JSON file"), ("", "not a JSON file")])
def test_read_json_missing_or_damaged_names_the_file(tmp_path: Path, text: str | None, match: str) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"a\.json: {match}"):
        read_json(path)
