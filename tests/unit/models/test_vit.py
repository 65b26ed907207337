from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from reproid._torchvision import ensure_ops
from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.registry import create_model
from reproid.models.vit.model import ViT
from reproid.models.vit.pretrained import from_torchvision

SMALL: dict[str, Any] = {"width": 16, "depth": 2, "heads": 2, "grid": [2, 2]}


def _small(**options: object) -> ViT:
    model = create_model("vit", SMALL | options, classes=3, seed=0)
    assert isinstance(model, ViT)
    return model.eval()


def _clip(height: int = 32, width: int = 32) -> Clip:
    frames = torch.randint(0, 256, (2, 3, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Clip(frames=frames, pid=torch.zeros(2), camid=torch.zeros(2), n_real=torch.full((2,), 3), tracklet_id=("a", "b"))


def _published(side: int = 2) -> torch.nn.Module:
    """Return torchvision's own ViT with random weights: what publishes the checkpoint."""
    ensure_ops()
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    net = VisionTransformer(image_size=16 * side, patch_size=16, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=64)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net.eval()


def _in_torchvision(net: torch.nn.Module, frames: Tensor) -> Tensor:
    """Return torchvision's tokens [n, 1 + N, D] behind its last norm."""
    tokens = net._process_input(frames)  # type: ignore[operator]
    tokens = torch.cat([net.class_token.expand(len(tokens), -1, -1), tokens], dim=1)  # type: ignore[operator]
    return net.encoder(tokens)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 86_567_656 - 768 * 1000 - 1000 - (197 - 129) * 768),  # torchvision's count without classifier, on 16x8 patches
        (
            {"depth": 8, "heads": 8, "mlp_ratio": 3.0, "qkv_bias": False},
            8 * (10 * 768**2 + 9 * 768) + 768 * (768 + 1 + 1 + 129 + 2),
        ),
    ],
    ids=["vit-b", "vit-s"],
)
def test_published_sizes_have_the_published_parameters(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        model = create_model("vit", options, classes=625, seed=0)
    assert sum(parameter.numel() for parameter in model.get_submodule("backbone").parameters()) == parameters
    assert model.embedding_dim == 768


def test_embedding_is_the_mean_over_patches_and_frames_behind_the_neck() -> None:
    model, clip = _small(), _clip()
    with torch.inference_mode():
        found = model(clip).embedding
        tokens = [model.backbone.forward_features(model.normalize(frame[None])) for frame in clip.frames.flatten(0, 1)]
        patches = torch.cat(tokens)[:, 1:]  # the class token comes first and is left out
        expected = model.neck.norm(patches.mean(dim=1).view(2, 3, -1).mean(dim=1))
    assert torch.allclose(found, expected, atol=1e-5)


def test_frames_pass_alone() -> None:
    model, clip = _small(), _clip()
    swapped = Clip(**{name: getattr(clip, name) for name in clip.__dataclass_fields__} | {"frames": clip.frames.flip(1)})
    with torch.inference_mode():
        assert torch.allclose(model(clip).embedding, model(swapped).embedding, atol=1e-5)


def test_frames_of_another_size_are_refused_with_the_fix() -> None:
    message = (
        r"option grid: frames of another size than the position embedding's; expected 32x32 pixels \(2x2 patches of 16\), "
        r"got 64x32\. Set clips\.height and clips\.width, or the option grid to \[4, 2\]"
    )
    with pytest.raises(InputError, match=message):
        _small()(_clip(height=64))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 3}, r"options width and heads: the heads do not divide the width; expected a multiple, got 16 and 3"),
        ({"grid": [2]}, r"option grid: not a grid; expected rows and columns, each at least 1, got \[2\]"),
        ({"grid": [2, 0]}, r"option grid: not a grid; .*got \[2, 0\]"),
        ({"patch": 0}, r"option patch: out of range; expected at least 1, got 0"),
    ],
    ids=["heads", "one-number", "no-column", "patch"],
)
def test_options_that_fit_no_network_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _small(**options)


@pytest.mark.parametrize("names", ["old", "new"])
def test_pretrained_gives_the_features_of_torchvision(names: str, tmp_path: Path) -> None:
    net = _published()
    tensors = net.state_dict()
    if names == "old":  # as the published file has them
        tensors = {name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): t for name, t in tensors.items()}
        assert any("linear_1" in name for name in tensors)
    torch.save(tensors, tmp_path / "weights.pth")
    model = create_model("vit", SMALL, classes=3, seed=0, weights=tmp_path / "weights.pth")
    assert isinstance(model, ViT)
    frames = model.normalize(_clip().frames).flatten(0, 1)
    with torch.inference_mode():
        found = model.eval().backbone.forward_features(frames)
        assert torch.allclose(found, _in_torchvision(net, frames), atol=1e-4)


def test_pretrained_stretches_the_square_grid_to_that_of_the_clip() -> None:
    weights = _published(side=4).state_dict()
    # one channel that grows from left to right, and one from top to bottom
    ramp = torch.arange(4.0)
    weights["encoder.pos_embedding"][0, 1:, 0] = ramp.repeat(4)
    weights["encoder.pos_embedding"][0, 1:, 1] = ramp.repeat_interleave(4)
    found = from_torchvision(weights, grid=(6, 3), where="file")["pos_embed"]
    assert found.shape == (1, 1 + 6 * 3, 16)
    assert torch.equal(found[:, 0], weights["encoder.pos_embedding"][:, 0])
    grid = found[0, 1:].view(6, 3, 16)
    assert torch.allclose(grid[:, :, 0], grid[:1, :, 0].expand(6, 3), atol=1e-5)
    assert torch.allclose(grid[:, :, 1], grid[:, :1, 1].expand(6, 3), atol=1e-5)
    assert (grid[:, :, 0].diff(dim=1) > 0.5).all()
    assert (grid[:, :, 1].diff(dim=0) > 0.3).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cls_token": torch.zeros(1)},
            r"the checkpoint has an unknown tensor 'cls_token'; expected torchvision's names of a ViT",
        ),
        (
            {"encoder.pos_embedding": torch.zeros(1, 6, 16)},
            r"position embedding of another shape; expected \[1, 1 \+ n x n, D\].*, got \[1, 6, 16\]",
        ),
        ({"conv_proj.bias": torch.zeros(3)}, r"tensor 'patch_embed\.proj\.bias' has another shape; expected \(16,\), got \(3,\)"),
    ],
    ids=["unknown-tensor", "no-square", "other-shape"],
)
def test_pretrained_that_does_not_fit_names_the_first_misfit(changes: dict[str, Tensor], message: str, tmp_path: Path) -> None:
    torch.save(_published().state_dict() | changes, tmp_path / "weights.pth")
    with pytest.raises(InputError, match=rf"weights\.pth: {message}"):
        create_model("vit", SMALL, classes=2, seed=0, weights=tmp_path / "weights.pth")
