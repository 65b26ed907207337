"""t-SNE (van der Maaten and Hinton, JMLR 2008), exact: for a few hundred points. No random number: equal points, equal map.

Legend: N points, D numbers each. The settings are those of scikit-learn: start from the first two principal components, learning
rate N / 48 but at least 50, attraction 12 times as strong for the first 250 of 1000 steps.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

STEPS, EARLY, EXAGGERATION = 1000, 250, 12.0
_TINY = 1e-12


def tsne(points: Points, *, perplexity: float = 30.0) -> Points:
    """Return a place [N, 2] for each point [N, D]; neighbours stay neighbours, distances do not stay.

    Args:
        points: at least two.
        perplexity: how many neighbours a point has; at most a third of the others.
    """
    n = len(points)
    near = joint_chances(points, min(perplexity, max(1.0, (n - 1) / 3)))
    places = _start(points)
    rate = max(n / EXAGGERATION / 4, 50.0)
    speed, gain = np.zeros_like(places), np.ones_like(places)
    for step in range(STEPS):
        early = step < EARLY
        gradient = _gradient(near * EXAGGERATION if early else near, places)
        against = speed * gradient < 0
        gain = np.clip(np.where(against, gain + 0.2, gain * 0.8), 0.01, None)
        speed = (0.5 if early else 0.8) * speed - rate * gain * gradient
        places = places + speed
        places = places - places.mean(axis=0)
    return places


def joint_chances(points: Points, perplexity: float) -> Points:
    """Return p_ij [N, N], symmetric, of sum 1: Gaussians around each point, as wide as the perplexity asks for."""
    n = len(points)
    squares = np.square(points).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * points @ points.T, 0)
    others = ~np.eye(n, dtype=bool)
    nearest = np.min(distances, axis=1, where=others, initial=np.inf, keepdims=True)
    distances = np.where(others, distances - nearest, 0.0)  # as only ratios count, no weight vanishes
    low, high = np.zeros((n, 1)), np.full((n, 1), np.inf)
    precision = np.ones((n, 1))
    for _ in range(64):
        weights = np.where(others, np.exp(-distances * precision), 0.0)
        chances = weights / np.maximum(weights.sum(axis=1, keepdims=True), _TINY)
        entropy = -(chances * np.log(np.maximum(chances, _TINY))).sum(axis=1, keepdims=True)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, precision, low), np.where(wide, high, precision)
        precision = np.where(np.isinf(high), precision * 2, (low + high) / 2)
    joint: Points = (chances + chances.T) / (2 * n)
    return joint


def _start(points: Points) -> Points:
    """Return the first two principal components, small; the sign makes the largest entry of each axis positive."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    places = np.zeros((len(points), 2))
    places[:, : len(axes)] = centred @ axes.T
    return 1e-4 * places / max(float(places[:, 0].std()), _TINY)


def _gradient(near: Points, places: Points) -> Points:
    """Return the gradient of the Kullback-Leibler divergence, [N, 2]."""
    squares = np.square(places).sum(axis=1)
    kernel = 1 / (1 + np.maximum(squares[:, None] + squares[None, :] - 2 * places @ places.T, 0))
    np.fill_diagonal(kernel, 0)
    pull = (near - kernel / max(float(kernel.sum()), _TINY)) * kernel
    gradient: Points = 4 * (pull.sum(axis=1, keepdims=True) * places - pull @ places)
    return gradient
