"""The losses that every method shares. Shapes: B clips, D numbers per feature."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu, softplus

from reproid.catalog.settings import Loss
from reproid.models.base import Output


def batch_hard_triplet_loss(feature: Tensor, labels: Tensor, margin: float | str) -> Tensor:
    """Return the batch-hard triplet loss (Hermans et al., 2017, Eq. 5), the mean over all anchors, with Euclidean distances.

    Args:
        feature: [B, D].
        labels: int64 [B]; every label at least twice, at least two labels.
        margin: of the hinge; "soft": log(1 + exp(d_pos - d_neg)) in its place.
    """
    distance = _distances(feature.float())
    same = labels[:, None] == labels[None, :]
    positive = distance.masked_fill(~same, -torch.inf).amax(dim=1)
    negative = distance.masked_fill(same, torch.inf).amin(dim=1)
    if margin == "soft":
        return softplus(positive - negative).mean()
    return relu(positive - negative + float(margin)).mean()


def loss_terms(output: Output, labels: Tensor, settings: Loss) -> dict[str, Tensor]:
    """Return the weighted terms of the loss by name; their sum is minimised.

    Cross-entropy is summed over the model's logits, triplet over its features; a term of weight 0 is left out.

    Args:
        output: of the model in train mode.
        labels: int64 [B], class of each clip.
        settings: weights and constants.
    """
    terms = {}
    if settings.cross_entropy and output.logits:
        losses = [cross_entropy(one.float(), labels, label_smoothing=settings.label_smoothing) for one in output.logits]
        terms["cross_entropy"] = settings.cross_entropy * torch.stack(losses).sum()
    if settings.triplet and output.features:
        losses = [batch_hard_triplet_loss(one, labels, settings.margin) for one in output.features]
        terms["triplet"] = settings.triplet * torch.stack(losses).sum()
    own = {name: settings.terms.get(name, 1.0) * value for name, value in sorted(output.losses.items())}
    return terms | {name: value for name, value in own.items() if settings.terms.get(name, 1.0)}


def _distances(feature: Tensor) -> Tensor:
    """Return Euclidean distances [B, B]; the floor keeps the root's slope finite where two features are equal."""
    squares = feature.square().sum(dim=1)
    products = feature @ feature.T
    return (squares[:, None] + squares[None, :] - 2 * products).clamp(min=1e-12).sqrt()
