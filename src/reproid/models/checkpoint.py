"""Weights from files and to files: safetensors; foreign pickles are read for their tensors alone and never executed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError  # the name only: nothing is unpickled here
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from reproid.errors import InputError
from reproid.files import atomic_path

_KEY = "reproid"  # one key: the order of several is not fixed, and equal weights must give equal bytes


def save_tensors(path: Path, tensors: Mapping[str, Tensor], about: dict[str, Any]) -> None:
    """Write tensors and plain data about them to one safetensors file, atomically; equal content gives equal bytes."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(plain, {_KEY: json.dumps(about)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file of `save_tensors`: the tensors and the data about them ({} for a foreign safetensors file).

    Raises:
        InputError: if the file is missing, damaged or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            return {name: file.get_tensor(name) for name in sorted(file.keys())}, about
    except FileNotFoundError as error:
        raise InputError("checkpoint not found", where=path) from error
    except SafetensorError as error:
        raise _not_safetensors(path, error) from error


def read_weights(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a published checkpoint: .safetensors, or what torch.save wrote, as tensors only.

    Args:
        path: the file.
        sha256: expected digest of the file; None: not checked.

    Raises:
        InputError: if the digest differs, or the file is damaged or holds more than tensors.
    """
    if not path.is_file():
        raise InputError("checkpoint not found", where=path)
    if sha256 is not None:
        _verify(path, sha256)
    if path.suffix == ".safetensors":
        return load_tensors(path)[0]
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        got = (str(error).splitlines() or [f"{path.stat().st_size} bytes"])[0][:120]
        raise InputError("not a checkpoint of tensors", where=path, got=got) from error
    content = content.get("state_dict", content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError("not a checkpoint of tensors", where=path, expected="tensors by name", got=type(content).__name__)
    return content


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], *, where: object) -> None:
    """Fill all weights of ``module``.

    Raises:
        InputError: if a name is missing or unknown, or a shape differs; names the first.
    """
    expected = module.state_dict()
    for kind, names in (("lacks", expected.keys() - tensors.keys()), ("has an unknown", tensors.keys() - expected.keys())):
        if names:
            what = f"the checkpoint {kind} tensor '{min(names)}'"
            raise InputError(
                what, where=where, expected=f"{len(expected)} tensors", got=f"{len(tensors)}, {len(names)} of this kind"
            )
    for name in sorted(expected):
        want, have = tuple(expected[name].shape), tuple(tensors[name].shape)
        if want != have:
            raise InputError(f"tensor '{name}' has another shape", where=where, expected=want, got=have)
    module.load_state_dict(dict(tensors))


def _verify(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        fix = "Delete the file and download it again"
        raise InputError("checkpoint differs from the declared one", where=path, expected=f"sha256 {sha256}", got=found, fix=fix)


def _not_safetensors(path: Path, error: Exception) -> InputError:
    with path.open("rb") as file:
        head = file.read(2)
    # zip (torch.save since 1.6) or a bare pickle of protocol 2 and later
    if head == b"PK" or head[:1] == b"\x80":
        return InputError("a pickle is offered as a checkpoint; it is not opened", where=path, expected="a safetensors file")
    got = f"{path.stat().st_size} bytes ({error})"
    return InputError("damaged checkpoint", where=path, expected="a safetensors file", got=got, fix="Delete it and make it again")
