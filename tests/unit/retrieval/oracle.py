"""The slow, literal reference: full sorts and plain loops in float64. Imports nothing of the package."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Truth:
    ap: list[float]
    trapezoid: list[float]
    inp: list[float]
    first: list[int]
    """Per query; NaN and 0 where it has no match."""

    def mean(self, values: list[float]) -> float:
        return float(np.nanmean(values))


def naive_truth(distances, q_pids, g_pids, q_camids, g_camids, *, remove=True) -> Truth:
    """Rank every gallery tracklet of every query by (distance, index) and walk down the list."""
    truth = Truth([], [], [], [])
    for i, row in enumerate(np.asarray(distances, np.float64)):
        order = sorted(range(len(row)), key=lambda j: (row[j], j))
        kept = [j for j in order if not (remove and g_pids[j] == q_pids[i] and g_camids[j] == q_camids[i])]
        hits = [bool(g_pids[j] == q_pids[i]) for j in kept]
        total = sum(hits)
        if total == 0:
            truth.ap.append(np.nan), truth.trapezoid.append(np.nan), truth.inp.append(np.nan), truth.first.append(0)
            continue
        found, step, trapezoid, old_recall, old_precision = 0, 0.0, 0.0, 0.0, 1.0
        for rank, hit in enumerate(hits, start=1):
            found += hit
            recall, precision = found / total, found / rank
            step += precision / total if hit else 0.0
            trapezoid += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        last = max(rank for rank, hit in enumerate(hits, start=1) if hit)
        truth.ap.append(step)
        truth.trapezoid.append(trapezoid)
        truth.inp.append(total / last)
        truth.first.append(hits.index(True) + 1)
    return truth


def naive_cmc(first: list[int], length: int) -> np.ndarray:
    scored = [rank for rank in first if rank]
    return np.array([sum(rank <= k for rank in scored) / len(scored) for k in range(1, length + 1)])


def naive_distances(x, y, metric: str) -> np.ndarray:
    """Return float64 distances, each summed from the first element to the last."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    dots = np.zeros((len(x), len(y)))
    squares, x_norm, y_norm = dots.copy(), np.zeros(len(x)), np.zeros(len(y))
    for c in range(x.shape[1]):
        dots += x[:, None, c] * y[None, :, c]
        squares += (x[:, None, c] - y[None, :, c]) ** 2
        x_norm += x[:, c] ** 2
        y_norm += y[:, c] ** 2
    return squares if metric == "euclidean" else 1 - dots / (np.sqrt(x_norm)[:, None] * np.sqrt(y_norm)[None])
