from pathlib import Path

import pytest

from reproid.catalog._yaml import load_yaml, read_yaml, validate
from reproid.catalog.settings import Settings
from reproid.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [("a: 1e-4", 1e-4), ("a: no", "no"), ("a: 012", 12), ("a: null", None), ("a: 2026-01-01", "2026-01-01")],
    ids=["exponent", "word", "leading-zero", "null", "date"],
)
def test_read_yaml_is_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    read = read_yaml(path)["a"]
    assert str(read) == value if isinstance(value, str) else read == value


def test_read_yaml_broken_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: [1,\n")
    with pytest.raises(InputError, match=r"a\.yaml, line 3: not a YAML file"):
        read_yaml(path)


def test_read_yaml_python_tag_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: !!python/object/apply:os.system ['true']")
    with pytest.raises(InputError, match="not a YAML file"):
        read_yaml(path)


def test_read_yaml_duplicate_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\na: 2\n")
    with pytest.raises(InputError, match='not a YAML file .*duplicate key "a"'):
        read_yaml(path)


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"method": "x", "trian": {}}, r"f\.yaml, key 'trian': unknown key; .*got 'trian'\. Did you mean 'train'\?"),
        ({"method": "x", "train": {"epoch": 3}}, r"key 'train\.epoch': unknown key; .*Did you mean 'epochs'\?"),
        ({"method": "x", "train": {"epochs": -3}}, r"key 'train\.epochs': .*expected greater than or equal to 0, got -3"),
        ({}, r"key 'method': .*expected a value \(the key is required\), got nothing"),
        ({"method": "x", "train": {"loss": {"margin": "hard"}}}, r"key 'train\.loss\.margin': .*got 'hard'"),
        ({"method": "x", "train": {"batch": {"clips_per_person": 1}}}, r"key 'train': .*at least 2 when loss\.triplet is on"),
        ({"method": "x", "clips": {"sampling": "random"}}, r"expected 'restricted-random' or 'consecutive', got 'random'"),
        ([], "expected a valid dictionary"),
    ],
    ids=["unknown", "unknown-nested", "range", "missing", "union", "cross-check", "choice", "no-mapping"],
)
def test_validate_mistake_says_where_expected_got_and_fix(value: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        validate(value, Settings, where="f.yaml")


def test_load_yaml_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: file not found"):
        load_yaml(tmp_path / "none.yaml", Settings)
