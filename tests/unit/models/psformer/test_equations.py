"""Every equation against the paper's own words in loops (psformer_reference.py); one altered term of each must be noticed."""

import math

import numpy as np
import psformer_reference as paper
import pytest
import torch
from psformer_small import DEPTH, FRAMES, GRID, HEADS, LOCAL, WIDTH, Made, make

from reproid.models.psformer.losses import noisy_distances, order_loss
from reproid.models.psformer.patches import as_patches
from reproid.models.psformer.routing import error_distance
from reproid.models.psformer.selection import saturating_sigmoid, straight_through
from reproid.models.psformer.spectral import person_indicator
from reproid.models.psformer.warping import Missing

N = GRID[0] * GRID[1]


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


def _rows(count: int, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width))


def _close(ours: object, theirs: object) -> bool:
    return np.allclose(np.asarray(ours), np.asarray(theirs), atol=1e-9)


def test_patches_are_those_of_section_3b() -> None:
    image = torch.arange(3 * 32 * 48, dtype=torch.float64).view(3, 32, 48)
    assert _close(as_patches(image), np.stack(paper.patches(image.numpy())))


@pytest.mark.parametrize("change", ["", "1.0 sigma", "no shift"])
def test_equation_1(change: str) -> None:
    scores = torch.linspace(-4, 4, 41, dtype=torch.float64)
    assert _close(saturating_sigmoid(scores), [paper.eq_1(float(s), change) for s in scores]) == (change == "")


def test_equation_1_is_the_gradient_of_the_binary_gate() -> None:
    scores = torch.tensor([-4.0, -1.0, -0.1, 0.2, 1.3, 4.0], dtype=torch.float64, requires_grad=True)
    gate = straight_through(scores)
    assert gate.tolist() == [0, 0, 0, 1, 1, 1]
    gate.sum().backward()
    slopes = [(paper.eq_1(s + 1e-6) - paper.eq_1(s - 1e-6)) / 2e-6 for s in scores.tolist()]
    assert np.allclose(scores.grad, slopes, atol=1e-7)
    assert scores.grad[0] == scores.grad[-1] == 0  # saturated


@pytest.mark.parametrize("change", ["", "negative affinities as they are", "L without D^-1/2", "y_2", "the other sign"])
def test_spectral_decomposition(change: str) -> None:
    features = np.random.default_rng(3).normal(size=(3, N, 5)) + 0.3
    ours = person_indicator(torch.from_numpy(features), GRID)
    assert _close(ours, [paper.indicator(one, *GRID, change) for one in features]) == (change == "")


CHANGES_OF_SELECTION = ["S without y_1", "the farthest patch", "the last frame's patches alone", "no R", "no N", "y_2"]


@pytest.mark.parametrize("change", ["", *CHANGES_OF_SELECTION])
def test_algorithm_1(made: Made, change: str) -> None:
    selection = made.model.selection
    assert selection is not None
    with torch.no_grad():
        found = selection(made.patches)
    weights = made.weights("selection")
    same = True
    for clip in range(len(made.clip)):
        scores, mask = paper.select(made.numpy(clip), weights, change)
        same &= _close(found.score[clip, 1:], scores) and _close(found.mask[clip, 1:], mask)
    assert same == (change == "")
    assert found.mask[:, 0].all()
    assert 0 < found.mask[:, 1:].sum() < found.mask[:, 1:].numel()


@pytest.mark.parametrize(("choice", "same"), [("zero", True), ("mean", False)])
def test_algorithm_1_while_nothing_is_selected(choice: str, same: bool) -> None:
    made = make(empty_set="zero")
    assert made.model.selection is not None
    with torch.no_grad():
        found = made.model.selection(made.patches)
    scores, _ = paper.select(made.numpy(0), made.weights("selection"), empty=choice)
    assert _close(found.score[0, 1:], scores) == same


@pytest.mark.parametrize("change", ["", "no residual", "no sqrt(d_k)", "no W_v"])
def test_equation_2(made: Made, change: str) -> None:
    encoder = made.model.encoder
    assert encoder is not None
    image, residual = _rows(N), _rows(3, 768, seed=1)
    missing = _missing(torch.from_numpy(residual))
    with torch.no_grad():
        rough, fine = encoder.patch_warp(torch.from_numpy(image)[None], None, missing)
    weights = made.weights("encoder")
    wanted = [paper.warped_patch(image[at], residual[at], weights, change) for at in range(3)]
    refined = [paper.eq_2(one, list(image), weights, change) for one in wanted]
    assert (_close(rough, wanted) and _close(fine, refined)) == (change == "")


def _missing(residual: torch.Tensor) -> Missing:
    at = torch.arange(len(residual))
    zero = torch.zeros(1, dtype=torch.int64)
    return Missing(source=at, residual=residual, rows=at[None], clips=zero, clip=zero, inverse=at)


@pytest.mark.parametrize("change", ["", "Eq. 3 in the other order", "Eq. 4 in the other order"])
def test_equations_3_and_4(made: Made, change: str) -> None:
    assert made.model.encoder is not None
    warp = made.model.encoder.global_warp
    assert warp is not None
    now, before, other = (torch.from_numpy(row) for row in _rows(3))
    with torch.no_grad():
        ours = warp.warp(warp.evolution(now, before), other)
    weights = made.weights("encoder")
    E = paper.eq_3(now.numpy(), before.numpy(), weights, change)
    assert _close(ours, paper.eq_4(E, other.numpy(), weights, change)) == (change == "")


@pytest.mark.parametrize("change", ["", "Eq. 5 from this layer's context", "Eq. 5 against the P-frame"])
def test_equation_5(made: Made, change: str) -> None:
    assert made.model.encoder is not None
    warp = made.model.encoder.global_warp
    assert warp is not None
    now, before, image_now, image_before = (torch.from_numpy(row) for row in _rows(4))
    with torch.no_grad():
        ours = error_distance(warp, now[None, None], before[None, None], image_now[None], image_before[None])
    rows = (row.numpy() for row in (now, before, image_now, image_before))
    assert _close(ours, paper.eq_5(*rows, made.weights("encoder"), change)) == (change == "")


@pytest.mark.parametrize("change", ["", "the other order", "neighbours alone"])
def test_equation_6(change: str) -> None:
    distances = np.random.default_rng(1).random((4, 5))
    ours = order_loss(torch.from_numpy(distances))
    assert _close(ours, [paper.eq_6(list(row), change) for row in distances]) == (change == "")


CHANGES_OF_NOISE = ["the context at full weight", "warped from the noisy context", "the noisy context's distance"]


@pytest.mark.parametrize("change", ["", *CHANGES_OF_NOISE])
def test_equation_6_distances(made: Made, change: str) -> None:
    assert made.model.encoder is not None
    warp = made.model.encoder.global_warp
    assert warp is not None
    now, before = _rows(2)
    alpha, noise = np.array([0.1, 0.4, 0.8]), _rows(3, seed=9)
    with torch.no_grad():
        ours = noisy_distances(warp, *(torch.from_numpy(part) for part in (now, before, alpha, noise)))
    weights = made.weights("encoder")
    theirs = [paper.noisy_distance(now, before, a, n, weights, change) for a, n in zip(alpha, noise, strict=True)]
    assert _close(ours, theirs) == (change == "")


CHANGES_OF_TRANSFORMER = [
    "Eq. 3 in the other order",
    "Eq. 4 from the I-frame",
    "open below s",
    "no motion",
    "no residual",
    "no sqrt(d_k)",
    "no context",
    "no local tokens",
    "global context kept",
    "only pseudo features averaged",
    "no final pseudo features",
]


CHANGES_OF_THE_PARTIAL_I_FRAME = [
    "an absent patch is 0",
    "absent patches are attended to",
    "absent patches count in the I-frame's context",
    "absent patches in the average",
]


@pytest.mark.parametrize("context_of", ["refined", "warped"])
@pytest.mark.parametrize("change", ["", *CHANGES_OF_TRANSFORMER])
def test_algorithm_2(change: str, context_of: str) -> None:
    assert _encodes_as_the_paper(change, context_of=context_of) == (change == "")


@pytest.mark.parametrize("change", ["", *CHANGES_OF_THE_PARTIAL_I_FRAME])
def test_algorithm_2_without_the_whole_i_frame(change: str) -> None:
    assert _encodes_as_the_paper(change, whole_i_frame=False) == (change == "")


def _encodes_as_the_paper(change: str, *, context_of: str = "refined", whole_i_frame: bool = True) -> bool:
    """Compare all layers and the final average, of clips of which some gates are open and some are not."""
    made = make(context_of=context_of, whole_i_frame=whole_i_frame)
    assert made.model.selection is not None
    assert made.model.encoder is not None
    with torch.no_grad():
        selected = made.model.selection(made.patches)
        distances = torch.stack(made.model.encoder(made.patches, selected, threshold=2.0).distances)
        threshold = float(distances.median())
        found = made.model.encoder(made.patches, selected, threshold=threshold)
    assert 0 < sum(found.opened) < DEPTH * len(made.clip) * (FRAMES - 1)
    assert not math.isclose(threshold, 0)
    assert bool(selected.mask[:, 0].all()) == whole_i_frame
    opened, same = np.zeros(DEPTH, dtype=int), True
    for clip in range(len(made.clip)):
        feature, gates = paper.encode(
            made.numpy(clip),
            selected.mask[clip, 1:].numpy(),
            made.weights("encoder"),
            depth=DEPTH,
            heads=HEADS,
            local=LOCAL,
            threshold=threshold,
            context_of=context_of,
            present=selected.mask[clip, 0].numpy(),
            change=change,
        )
        same &= _close(found.feature[clip], feature)
        opened += gates.sum(axis=1)
    if not change:
        assert found.opened == tuple(opened)
    return same
