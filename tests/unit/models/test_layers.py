import torch

from reproid.models.neck import Neck
from reproid.models.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalize


def test_normalize_maps_bytes_by_imagenet_constants() -> None:
    frames = torch.arange(24, dtype=torch.uint8).reshape(1, 2, 3, 2, 2) * 10
    expected = torch.stack(
        [(frames[:, :, c] / 255 - IMAGENET_MEAN[c]) / IMAGENET_STD[c] for c in range(3)],
        dim=2,
    )
    assert torch.allclose(Normalize()(frames), expected, atol=1e-6)


def test_normalize_other_constants_are_kept_out_of_checkpoints() -> None:
    layer = Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert torch.allclose(
        layer(torch.tensor([0, 255, 255], dtype=torch.uint8)[:, None, None]).flatten(), torch.tensor([-1.0, 1, 1])
    )
    assert not layer.state_dict()


def test_neck_normalises_without_shift_and_classifies_behind() -> None:
    neck = Neck(6, 3)
    feature = 5 + 2 * torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
    behind, logits = neck(feature)
    assert torch.allclose(behind.mean(dim=0), torch.zeros(6), atol=1e-5)
    assert torch.allclose(behind.std(dim=0), torch.ones(6), atol=0.02)
    assert torch.equal(logits, behind @ neck.classifier.weight.T)
    assert [name for name, p in neck.named_parameters() if not p.requires_grad] == ["norm.bias"]


def test_neck_without_batch_norm_passes_the_feature_through() -> None:
    feature = torch.randn(4, 6)
    assert torch.equal(Neck(6, 3, batch_norm=False)(feature)[0], feature)
