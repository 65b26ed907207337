"""Batch norm over the parts of all ranks: on the GPU torch's SyncBatchNorm; on the CPU, where that does not run, this module."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class SharedBatchNorm(_BatchNorm):
    """Statistics of the whole batch, whichever rank holds which part; parameters and buffers are those of `nn.BatchNorm2d`."""

    def forward(self, values: Tensor) -> Tensor:
        """Normalise [N, C, ...]."""
        if not self.training:
            return super().forward(values)
        assert self.momentum is not None
        others = [0, *range(2, values.dim())]
        shape = [1, -1] + [1] * (values.dim() - 2)
        count = torch.full((1,), values.numel() / values.shape[1], dtype=values.dtype, device=values.device)
        sums = _sum_over_ranks(torch.cat([values.sum(dim=others), count]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        centred = values - mean.view(shape)
        variance = _sum_over_ranks(centred.square().sum(dim=others)) / total
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * total / (total - 1), self.momentum)
        normal = centred * (variance + self.eps).rsqrt().view(shape)
        if self.weight is None:
            return normal
        return normal * self.weight.view(shape) + self.bias.view(shape)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  # torch's name
        """Any number of dimensions."""


def share_norms(model: nn.Module) -> None:
    """Replace every batch norm inside ``model`` by one over all ranks; it keeps its parameters and buffers."""
    on_gpu = next(model.parameters()).is_cuda
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm | nn.SyncBatchNorm):
                setattr(parent, name, _synchronised(child) if on_gpu else _shared(child))


def _synchronised(norm: _BatchNorm) -> nn.Module:
    made: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
    return made


def _shared(norm: _BatchNorm) -> SharedBatchNorm:
    shared = SharedBatchNorm(
        norm.num_features, eps=norm.eps, momentum=norm.momentum, affine=norm.affine, track_running_stats=norm.track_running_stats
    )
    shared.weight, shared.bias = norm.weight, norm.bias
    shared.running_mean, shared.running_var = norm.running_mean, norm.running_var
    shared.num_batches_tracked = norm.num_batches_tracked
    return shared.train(norm.training)


class _SumOverRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def _sum_over_ranks(mine: Tensor) -> Tensor:
    total: Tensor = _SumOverRanks.apply(mine)  # type: ignore[no-untyped-call]
    return total
