from typing import Any

import pytest
import torch

from reproid.catalog.settings import Train
from reproid.clips.clip import Clip
from reproid.errors import InputError
from reproid.models.base import ClipModel
from reproid.models.registry import create_model
from reproid.training.loop import train_step
from reproid.training.optimisation import make_optimizer

LABELS = torch.tensor([0, 0, 1, 1])


@pytest.fixture
def model() -> ClipModel:
    options = {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8]}
    model = create_model("resnet50", options, classes=2, seed=0)
    return model.train()


@pytest.fixture
def clip() -> Clip:
    frames = torch.randint(0, 256, (4, 2, 3, 32, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Clip(frames=frames, pid=LABELS, camid=LABELS, n_real=torch.full((4,), 2), tracklet_id=("a", "b", "c", "d"))


def _step(model: ClipModel, clip: Clip, **settings: Any) -> dict[str, float]:
    train = Train.model_validate({"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0, "weight_decay": 0}} | settings)
    return train_step(model, make_optimizer(model, train.optimizer), clip, LABELS, train, place="epoch 1, batch 1")


def _weights(model: ClipModel) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_train_step_returns_the_loss_as_the_sum_of_its_terms(model: ClipModel, clip: Clip) -> None:
    values = _step(model, clip)
    assert list(values) == ["loss", "accuracy", "cross_entropy", "triplet"]
    assert values["loss"] == pytest.approx(values["cross_entropy"] + values["triplet"], rel=1e-6)
    assert values["accuracy"] in (0, 0.25, 0.5, 0.75, 1)


def test_train_step_clips_the_gradient_to_its_largest_norm(model: ClipModel, clip: Clip) -> None:
    before = _weights(model)
    _step(model, clip, gradient_clip=0.01)
    assert (_weights(model) - before).norm().item() == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_train_step_non_finite_gradient_leaves_the_weights(model: ClipModel, clip: Clip) -> None:
    before = _weights(model)
    model.get_parameter("neck.classifier.weight").register_hook(lambda gradient: gradient * float("inf"))
    message = r"epoch 1, batch 1: gradient norm is not finite; .*tracklets \(a, b, c, \.\.\.\); the weights were not changed"
    with pytest.raises(InputError, match=message):
        _step(model, clip)
    assert torch.equal(_weights(model), before)


def test_train_step_non_finite_weights_name_the_term(model: ClipModel, clip: Clip) -> None:
    torch.nn.init.constant_(model.get_parameter("neck.classifier.weight"), float("inf"))
    with pytest.raises(InputError, match=r"epoch 1, batch 1: loss term 'cross_entropy' is not finite; .* got nan"):
        _step(model, clip)


def test_train_step_mixed_precision_on_a_cpu_stays_in_float32(model: ClipModel, clip: Clip) -> None:
    other = create_model("resnet50", {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8]}, classes=2, seed=0).train()
    assert _step(model, clip, mixed_precision=True) == _step(other, clip)
