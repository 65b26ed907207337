import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from reproid.errors import InputError
from reproid.models.registry import create_model, declared_method

SMALL: dict[str, Any] = {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8]}


def _checkpoint(path: Path, **changes: Any) -> dict[str, torch.Tensor]:
    """Write what torchvision would publish for the small network, and return it."""
    tensors = create_model("resnet50", SMALL, classes=2, seed=9).get_submodule("backbone").state_dict()
    tensors = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    tensors |= {"fc.weight": torch.zeros(1000, 32), "fc.bias": torch.zeros(1000)} | changes
    torch.save(tensors, path)
    return tensors


def test_create_model_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"unknown method; expected one of: .*resnet50.*, got 'resnet5'\. Did you mean 'resnet50'\?"
    ):
        create_model("resnet5", {}, classes=2, seed=0)


def test_create_model_unknown_option_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown option; .*got 'last_strid'\. Did you mean 'last_stride'\?"):
        create_model("resnet50", {"last_strid": 1}, classes=2, seed=0)


def test_create_model_wrong_choice_lists_the_choices() -> None:
    with pytest.raises(
        InputError, match=r"option 'last_stride' of method 'resnet50': invalid value; expected one of: 1, 2, got 3"
    ):
        create_model("resnet50", {"last_stride": 3}, classes=2, seed=0)


def test_create_model_three_stages_are_refused() -> None:
    with pytest.raises(InputError, match=r"options layers and channels: wrong number of stages; expected 4 and 4, got 3 and 4"):
        create_model("resnet50", SMALL | {"layers": [1, 1, 1]}, classes=2, seed=0)


def test_create_model_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    create_model("resnet50", SMALL, classes=2, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_create_model_with_weights_takes_the_backbone_and_drops_the_classifier(tmp_path: Path) -> None:
    tensors = _checkpoint(tmp_path / "weights.pth")
    sha256 = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    model = create_model("resnet50", SMALL, classes=2, seed=0, weights=tmp_path / "weights.pth", sha256=sha256)
    own = model.get_submodule("backbone").state_dict()
    assert all(torch.equal(own[name], value) for name, value in tensors.items() if not name.startswith("fc."))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layer9.weight": torch.zeros(1)},
            r"weights\.pth: the checkpoint has an unknown tensor 'layer9\.weight'; .*1 of this kind",
        ),
        (
            {"conv1.weight": torch.zeros(2, 2)},
            r"tensor 'conv1\.weight' has another shape; expected \(64, 3, 7, 7\), got \(2, 2\)",
        ),
    ],
    ids=["unknown-tensor", "other-shape"],
)
def test_create_model_with_foreign_weights_names_the_first_misfit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    _checkpoint(tmp_path / "weights.pth", **changes)
    with pytest.raises(InputError, match=message):
        create_model("resnet50", SMALL, classes=2, seed=0, weights=tmp_path / "weights.pth")


def test_create_model_weights_of_another_digest_are_refused(tmp_path: Path) -> None:
    _checkpoint(tmp_path / "weights.pth")
    with pytest.raises(
        InputError, match=r"checkpoint differs from the declared one; expected sha256 00ff, got [0-9a-f]{64}\. Delete"
    ):
        create_model("resnet50", SMALL, classes=2, seed=0, weights=tmp_path / "weights.pth", sha256="00ff")


def test_declared_method_reads_revision_and_options() -> None:
    method = declared_method("resnet50")
    assert method.revision >= 1
    assert "pretrained" in method.options
