from typing import Any

import pytest
import torch
from torch import nn

from reproid.catalog.settings import Optimizer, Train
from reproid.training.optimisation import learning_rate, make_optimizer


def _rates(epochs: int, **schedule: Any) -> list[float]:
    settings = Train.model_validate({"epochs": epochs, "optimizer": {"lr": 1.0}, "schedule": schedule})
    return [learning_rate(settings, epoch) for epoch in range(epochs)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"name": "constant"}, [1, 1, 1, 1, 1]),
        ({"name": "step", "milestones": [2, 4], "gamma": 0.1}, [1, 1, 0.1, 0.1, 0.01]),
        ({"name": "cosine", "floor": 0.2}, [1, 0.8828427, 0.6, 0.3171573, 0.2]),
        ({"name": "constant", "warmup_epochs": 2, "warmup_start": 0.1}, [0.1, 0.55, 1, 1, 1]),
        ({"name": "cosine", "warmup_epochs": 2, "warmup_start": 0.5}, [0.5, 0.75, 1, 0.5, 0]),
        ({"name": "step", "milestones": [1], "gamma": 0.5, "warmup_epochs": 2, "warmup_start": 0}, [0, 0.25, 0.5, 0.5, 0.5]),
    ],
    ids=["constant", "step", "cosine", "warmup", "warmup-cosine", "warmup-step"],
)
def test_learning_rate_over_five_epochs(schedule: dict[str, Any], expected: list[float]) -> None:
    assert _rates(5, **schedule) == pytest.approx(expected, abs=1e-6)


def test_learning_rate_cosine_of_one_epoch_is_the_full_rate() -> None:
    assert _rates(1, name="cosine") == [1.0]


def _moved(**settings: Any) -> torch.Tensor:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 2.0)
    optimizer = make_optimizer(layer, Optimizer.model_validate(settings))
    for _ in range(2):
        optimizer.zero_grad()
        (layer.weight * 3).sum().backward()
        optimizer.step()
    return layer.weight.detach().flatten()


def test_sgd_two_steps_follow_momentum_and_decay() -> None:
    # gradient 3 + 0.1 w; velocity v = 0.5 v + g; w -= 0.1 v
    first = 3 + 0.1 * 2
    second = 0.5 * first + 3 + 0.1 * (2 - 0.1 * first)
    expected = 2 - 0.1 * (first + second)
    assert _moved(name="sgd", lr=0.1, momentum=0.5, weight_decay=0.1).item() == pytest.approx(expected)


def test_sgd_nesterov_differs() -> None:
    plain, nesterov = (_moved(name="sgd", lr=0.1, momentum=0.5, nesterov=on) for on in (False, True))
    assert plain.item() > nesterov.item()


def test_adam_first_steps_move_by_the_rate() -> None:
    assert _moved(name="adam", lr=0.1, weight_decay=0).item() == pytest.approx(1.8, abs=1e-5)


def test_make_optimizer_leaves_frozen_parameters_out() -> None:
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    groups = make_optimizer(layer, Optimizer()).param_groups
    assert [len(group["params"]) for group in groups] == [1]
