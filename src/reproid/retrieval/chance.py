"""The chance level: what a ranking in random order scores, exactly, from the label counts alone.

A query ranks N gallery tracklets, P of them matches; all orders are equally likely.

* rank-k: 1 - C(N - P, k) / C(N, k), the chance that not all of the first k are wrong.
* AP, step: each rank holds a match with probability P / N, and given one at rank r, (P - 1) (r - 1) / (N - 1) others are expected
  before it. So the mean of k / r_k is (H_N + (P - 1) / (N - 1) (N - H_N)) / N, with H_N = 1 + 1/2 + ... + 1/N.
* AP, trapezoid: the precision just before a match is (P - 1) / (N - 1) on average, and 1 at rank 1: P / N in all. The trapezoid
  is the mean of that and of the step.
* INP: the mean of P / r over the rank r of the last match, which is r with probability C(r - 1, P - 1) / C(N, P).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from reproid.retrieval.distances import Float64s
from reproid.retrieval.tracklets import Ints


def chance_level(
    positives: Ints, lengths: Ints, *, ap: Literal["step", "trapezoid"] = "step", ranks: Sequence[int] = (1, 5, 10, 20)
) -> Mapping[str, float]:
    """Return the expected map, minp and rank-k of random rankings, fractions 0-1.

    Args:
        positives: [S] matches of each scored query, at least 1.
        lengths: [S] gallery tracklets that its ranking holds, the matches among them.
        ap: the integration rule.
        ranks: the k of rank-k.
    """
    pairs, times = np.unique(np.stack([lengths, positives]), axis=1, return_counts=True)
    n, p = pairs.astype(np.float64)
    values = {
        "map": _average_precision(n, p, ap),
        "minp": np.array([_inverse_negative_penalty(*pair) for pair in pairs.T.tolist()]),
        **{f"rank{k}": _hit_within(n, p, k) for k in ranks},
    }
    return {name: float(np.average(value, weights=times)) for name, value in values.items()}


def _average_precision(n: Float64s, p: Float64s, ap: Literal["step", "trapezoid"]) -> Float64s:
    harmonic = np.cumsum(1 / np.arange(1, n.max() + 1))[n.astype(np.int64) - 1]
    others = (p - 1) / np.maximum(n - 1, 1)
    step = (harmonic + others * (n - harmonic)) / n
    return np.asarray((step + p / n) / 2 if ap == "trapezoid" else step)


def _hit_within(n: Float64s, p: Float64s, k: int) -> Float64s:
    missed = np.ones_like(n)
    for place in range(k):
        missed *= np.maximum(n - p - place, 0) / np.maximum(n - place, 1)
    return np.asarray(1 - missed)


def _inverse_negative_penalty(n: int, p: int) -> float:
    """Return the mean of p / r over the rank r of the last of p matches among n places."""
    ranks = np.arange(n, p - 1, -1, dtype=np.float64)
    # P(last at r - 1) = P(last at r) (r - p) / (r - 1), from P(last at n) = p / n.
    chances = (p / n) * np.cumprod(np.concatenate([[1.0], (ranks[:-1] - p) / (ranks[:-1] - 1)]))
    return float((chances * p / ranks).sum())
