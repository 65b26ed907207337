import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reproid.catalog.settings import Loss
from reproid.models.base import Output
from reproid.training.losses import batch_hard_triplet_loss, loss_terms

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def _feature(seed: int = 0) -> torch.Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))


def _literal_triplet(feature: torch.Tensor, labels: torch.Tensor, margin: float | str) -> float:
    """Hermans et al., Eq. 5, read aloud."""
    total = 0.0
    for a in range(len(labels)):
        positive = max(math.dist(feature[a], feature[p]) for p in range(len(labels)) if labels[p] == labels[a])
        negative = min(math.dist(feature[a], feature[n]) for n in range(len(labels)) if labels[n] != labels[a])
        gap = positive - negative
        total += math.log1p(math.exp(gap)) if margin == "soft" else max(0.0, gap + float(margin))
    return total / len(labels)


@pytest.mark.parametrize("margin", [0.0, 0.3, 5.0, "soft"])
@given(seed=st.integers(0, 1000))
def test_triplet_any_features_equals_the_literal_loss(margin: float | str, seed: int) -> None:
    feature = _feature(seed)
    found = batch_hard_triplet_loss(feature, LABELS, margin).item()
    assert found == pytest.approx(_literal_triplet(feature, LABELS, margin), abs=1e-5)


def test_triplet_equal_features_keep_the_gradient_finite() -> None:
    feature = torch.ones(6, 4, requires_grad=True)
    loss = batch_hard_triplet_loss(feature, LABELS, 0.3)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(0.3)
    assert feature.grad is not None
    assert torch.isfinite(feature.grad).all()


def test_triplet_well_separated_persons_cost_nothing() -> None:
    assert batch_hard_triplet_loss(10.0 * torch.eye(3)[LABELS], LABELS, 0.3).item() == 0.0


def test_cross_entropy_is_smoothed_over_all_classes() -> None:
    logits, smoothing = _feature(), 0.1
    terms = loss_terms(Output(embedding=logits, logits=(logits,)), LABELS, Loss(label_smoothing=smoothing))
    logs = logits.log_softmax(dim=1)
    expected = 0.0
    for i, c in product(range(6), range(4)):
        target = smoothing / 4 + (1 - smoothing) * (LABELS[i].item() == c)
        expected -= target * logs[i, c].item() / 6
    assert terms["cross_entropy"].item() == pytest.approx(expected, rel=1e-5)


def test_loss_terms_sum_over_heads_and_weigh_by_name() -> None:
    feature, logits = _feature(), _feature(1)
    own = {"budget": torch.tensor(2.0), "centre": torch.tensor(3.0)}
    output = Output(embedding=feature, logits=(logits, logits), features=(feature, feature), losses=own)
    single = loss_terms(Output(embedding=feature, logits=(logits,), features=(feature,)), LABELS, Loss())
    terms = loss_terms(output, LABELS, Loss(triplet=0.5, terms={"centre": 0.1}))
    assert list(terms) == ["cross_entropy", "triplet", "budget", "centre"]
    assert terms["cross_entropy"].item() == pytest.approx(2 * single["cross_entropy"].item())
    assert terms["triplet"].item() == pytest.approx(single["triplet"].item())
    assert terms["budget"].item() == 2.0
    assert terms["centre"].item() == pytest.approx(0.3)


def test_loss_terms_of_weight_zero_are_left_out() -> None:
    output = Output(embedding=_feature(), logits=(_feature(),), features=(_feature(),), losses={"x": torch.tensor(1.0)})
    assert list(loss_terms(output, LABELS, Loss(triplet=0, terms={"x": 0}))) == ["cross_entropy"]
    assert list(loss_terms(output, LABELS, Loss(cross_entropy=0))) == ["triplet", "x"]
