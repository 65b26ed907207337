"""t-SNE: chances, gradient and map against their definitions (van der Maaten and Hinton, 2008)."""

import math

import numpy as np
import pytest

from reproid.inference.tsne import _gradient, joint_chances, tsne

RNG = np.random.default_rng(0)


def test_chances_are_those_of_gaussians_of_the_asked_perplexity() -> None:
    points = RNG.normal(size=(12, 3))
    joint = joint_chances(points, 4.0)
    assert joint.sum() == pytest.approx(1)
    assert np.allclose(joint, joint.T)
    assert np.all(np.diag(joint) == 0)
    # one row by hand: the width that gives a perplexity of 4 by bisection, then p_j|i
    rows = np.array([_conditional(points, i, 4.0) for i in range(12)])
    assert np.allclose(joint, (rows + rows.T) / 24, atol=1e-8)


def _conditional(points: np.ndarray, i: int, perplexity: float) -> list[float]:
    low, high = 1e-6, 1e6
    for _ in range(200):
        precision = math.sqrt(low * high)
        weights = [
            0.0 if j == i else math.exp(-precision * float(((points[i] - points[j]) ** 2).sum())) for j in range(len(points))
        ]
        chances = [weight / max(sum(weights), 1e-300) for weight in weights]
        entropy = -sum(p * math.log(p) for p in chances if p > 0)
        low, high = (precision, high) if entropy > math.log(perplexity) else (low, precision)
    return chances


def _divergence(near: np.ndarray, places: np.ndarray) -> float:
    n = len(places)
    kernel = [[0.0 if i == j else 1 / (1 + float(((places[i] - places[j]) ** 2).sum())) for j in range(n)] for i in range(n)]
    total = sum(map(sum, kernel))
    return sum(near[i][j] * math.log(near[i][j] / (kernel[i][j] / total)) for i in range(n) for j in range(n) if near[i][j] > 0)


def test_gradient_is_that_of_the_divergence() -> None:
    near, places = joint_chances(RNG.normal(size=(6, 4)), 2.0), RNG.normal(size=(6, 2))
    found, small = _gradient(near, places), 1e-6
    for i, axis in np.ndindex(6, 2):
        up, down = places.copy(), places.copy()
        up[i, axis] += small
        down[i, axis] -= small
        slope = (_divergence(near, up) - _divergence(near, down)) / (2 * small)
        assert found[i, axis] == pytest.approx(slope, abs=1e-6)


def test_groups_stay_apart_and_equal_points_give_an_equal_map() -> None:
    centres = RNG.normal(size=(4, 8)) * 10
    points = np.concatenate([centre + RNG.normal(size=(10, 8)) for centre in centres])
    places = tsne(points)
    assert places.shape == (40, 2)
    assert np.array_equal(places, tsne(points))
    means = places.reshape(4, 10, 2).mean(axis=1)
    inside = max(
        float(np.linalg.norm(group - mean, axis=1).max()) for group, mean in zip(places.reshape(4, 10, 2), means, strict=True)
    )
    between = min(float(np.linalg.norm(means[i] - means[j])) for i in range(4) for j in range(i))
    assert between > 2 * inside


@pytest.mark.parametrize(
    "points", [np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((5, 3)), np.eye(3)[:, :1]], ids=["two", "equal", "one column"]
)
def test_few_and_equal_points_have_finite_places(points: np.ndarray) -> None:
    assert np.isfinite(tsne(points)).all()
