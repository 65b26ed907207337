import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from reproid.errors import InputError
from reproid.models.checkpoint import load_into, load_tensors, read_weights, save_tensors

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(3, dtype=torch.int64)}


class _Harmful:
    """Unpickling it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.path, "executed")


def test_save_tensors_round_trip_keeps_tensors_and_facts(tmp_path: Path) -> None:
    save_tensors(tmp_path / "x.safetensors", TENSORS, {"classes": 5, "list": [1, None]})
    tensors, about = load_tensors(tmp_path / "x.safetensors")
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) and tensors[name].dtype == TENSORS[name].dtype for name in TENSORS)
    assert about == {"classes": 5, "list": [1, None]}


def test_save_tensors_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    save_tensors(tmp_path / "1.safetensors", TENSORS, {"x": 1, "y": 2})
    save_tensors(tmp_path / "2.safetensors", dict(reversed(TENSORS.items())), {"x": 1, "y": 2})
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"x\.safetensors: checkpoint not found"),
        (b"", r"x\.safetensors: damaged checkpoint; expected a safetensors file, got 0 bytes"),
        (
            b"not a checkpoint at all",
            r"damaged checkpoint; expected a safetensors file, got 23 bytes .*Delete it and make it again",
        ),
        (
            pickle.dumps({"a": 1}),
            r"x\.safetensors: a pickle is offered as a checkpoint; it is not opened; expected a safetensors",
        ),
    ],
    ids=["missing", "empty", "text", "pickle"],
)
def test_load_tensors_bad_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_tensors(tmp_path / "x.safetensors")


def test_load_tensors_cut_off_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_tensors(path, TENSORS, {})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"x\.safetensors: damaged checkpoint"):
        load_tensors(path)


def test_load_tensors_torch_archive_is_a_pickle(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="a pickle is offered as a checkpoint"):
        load_tensors(tmp_path / "x.safetensors")


def test_load_tensors_foreign_safetensors_has_no_facts(tmp_path: Path) -> None:
    safetensors.torch.save_file(TENSORS, tmp_path / "x.safetensors")
    assert load_tensors(tmp_path / "x.safetensors")[1] == {}


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "state_dict"])
def test_read_weights_of_torch_save_gives_the_tensors(tmp_path: Path, wrapped: bool) -> None:
    torch.save({"state_dict": TENSORS, "epoch": 3} if wrapped else TENSORS, tmp_path / "x.pth")
    assert torch.equal(read_weights(tmp_path / "x.pth")["b"], TENSORS["b"])


def test_read_weights_of_safetensors_gives_the_tensors(tmp_path: Path) -> None:
    safetensors.torch.save_file(TENSORS, tmp_path / "x.safetensors")
    assert torch.equal(read_weights(tmp_path / "x.safetensors")["b"], TENSORS["b"])


def test_read_weights_harmful_pickle_is_refused_unexecuted(tmp_path: Path) -> None:
    torch.save({"a": _Harmful(tmp_path / "trace")}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth: not a checkpoint of tensors; got "):
        read_weights(tmp_path / "x.pth")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [([1, 2], "expected tensors by name, got list"), ({"a": 1}, "expected tensors by name, got dict")],
    ids=["list", "numbers"],
)
def test_read_weights_other_content_is_refused(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(InputError, match=message):
        read_weights(tmp_path / "x.pth")


@pytest.mark.parametrize("content", [None, b"", b"<html>"], ids=["missing", "empty", "text"])
def test_read_weights_bad_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.pth: (not a checkpoint of tensors; got |checkpoint not found)"):
        read_weights(tmp_path / "x.pth")


def test_load_into_missing_tensor_is_named_and_nothing_changes() -> None:
    module = nn.Linear(2, 1)
    before = module.weight.clone()
    with pytest.raises(InputError, match=r"file: the checkpoint lacks tensor 'bias'; expected 2 tensors, got 1, 1 of this kind"):
        load_into(module, {"weight": torch.ones(1, 2)}, where="file")
    assert torch.equal(module.weight, before)
