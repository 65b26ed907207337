"""Optimiser and learning rate."""

import math

import torch
from torch import nn

from reproid.catalog.settings import Optimizer, Train


def make_optimizer(model: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Return the optimiser of all trainable parameters; weight decay is the L2 penalty of the papers, not decoupled."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=settings.lr, weight_decay=settings.weight_decay)
    if settings.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=settings.lr,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=settings.nesterov,
        )
    raise AssertionError(settings.name)


def learning_rate(settings: Train, epoch: int) -> float:
    """Return the rate of an epoch (0-based): linear warm-up times the schedule. It has no state, so there is none to resume.

    Warm-up of W epochs: epoch e < W has the factor start + (1 - start) e / W. Cosine runs from W to the last epoch, which has the
    floor; the milestones of step count from epoch 0.
    """
    schedule, lr = settings.schedule, settings.optimizer.lr
    warmup = schedule.warmup_epochs
    if epoch < warmup:
        lr *= schedule.warmup_start + (1 - schedule.warmup_start) * epoch / warmup
    if schedule.name == "constant":
        return lr
    if schedule.name == "step":
        return lr * schedule.gamma ** sum(epoch >= milestone for milestone in schedule.milestones)
    if schedule.name == "cosine":
        progress = max(epoch - warmup, 0) / max(settings.epochs - 1 - warmup, 1)
        return lr * (schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * progress)) / 2)
    raise AssertionError(schedule.name)
