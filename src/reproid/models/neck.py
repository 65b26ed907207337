"""The batch-norm neck and its classifier (Luo et al., "Bag of Tricks", CVPRW 2019, Sec. 3.5)."""

from torch import Tensor, nn


class Neck(nn.Module):
    """Batch norm without shift between the feature of the triplet loss and that of the classifier and of the test.

    Args:
        width: D of the feature.
        classes: training persons.
        batch_norm: False leaves the classifier alone: both losses and the test share one feature.
    """

    def __init__(self, width: int, classes: int, *, batch_norm: bool = True) -> None:
        super().__init__()
        self.norm: nn.Module = _shiftless(width) if batch_norm else nn.Identity()
        self.classifier = nn.Linear(width, classes, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature [B, D] behind the neck, and the logits [B, classes]."""
        behind = self.norm(feature)
        return behind, self.classifier(behind)


def _shiftless(width: int) -> nn.BatchNorm1d:
    norm = nn.BatchNorm1d(width)
    norm.bias.requires_grad_(False)
    return norm
