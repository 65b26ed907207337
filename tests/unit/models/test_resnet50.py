import pytest
import torch

from reproid.clips.clip import Clip
from reproid.models.registry import create_model
from reproid.models.resnet50.model import ResNet

SMALL = {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8]}


def _small(**options: object) -> ResNet:
    model = create_model("resnet50", SMALL | options, classes=3, seed=0)
    assert isinstance(model, ResNet)
    return model.eval()


def test_defaults_are_resnet50_as_torchvision_counts_it() -> None:
    model = create_model("resnet50", {}, classes=625, seed=0)
    trained = sum(parameter.numel() for parameter in model.get_submodule("backbone").parameters())
    assert trained == 25_557_032 - 2048 * 1000 - 1000  # torchvision's resnet50 without its classifier
    assert model.embedding_dim == 2048


@pytest.mark.parametrize(("stride", "height"), [(1, 16), (2, 8)])
def test_last_stride_sets_the_size_of_the_last_map_without_dilation(stride: int, height: int) -> None:
    backbone = _small(last_stride=stride).backbone
    maps = backbone.forward_features(torch.zeros(1, 3, 256, 128))
    assert maps.shape == (1, 32, height, height // 2)
    assert {module.dilation for module in backbone.modules() if isinstance(module, torch.nn.Conv2d)} == {(1, 1)}


def test_embedding_is_the_mean_over_space_and_time_behind_the_neck() -> None:
    model = _small()
    frames = torch.randint(0, 256, (2, 3, 3, 64, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    clip = Clip(frames=frames, pid=torch.zeros(2), camid=torch.zeros(2), n_real=torch.full((2,), 3), tracklet_id=("a", "b"))
    with torch.inference_mode():
        found = model(clip).embedding
        means = [model.backbone.forward_features(model.normalize(frame[None])).mean(dim=(2, 3)) for frame in frames.flatten(0, 1)]
        expected = model.neck.norm(torch.cat(means).view(2, 3, -1).mean(dim=1))
    assert torch.allclose(found, expected, atol=1e-5)


def test_neck_off_uses_one_feature_for_both_losses() -> None:
    model = _small(neck=False).train()
    clip = Clip(
        frames=torch.randint(0, 256, (2, 1, 3, 64, 32), dtype=torch.uint8),
        pid=torch.zeros(2),
        camid=torch.zeros(2),
        n_real=torch.ones(2),
        tracklet_id=("a", "b"),
    )
    output = model(clip)
    assert torch.equal(output.embedding, output.features[0])
