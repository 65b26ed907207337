"""Deterministic inputs of the retrieval benchmark: ``synth`` has reference values, see docs/protocols.md."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def synth(seed: int = 2024, queries: int = 1980, gallery: int = 11310) -> tuple[Array, Array, Array, Array, Array]:
    """Return distances f32 [queries, gallery], query pids, gallery pids, query cameras, gallery cameras of MARS's size.

    626 persons, 3248 distractors, 6 cameras. The order of the draws is fixed: mAP 0.8573420666, rank-1 0.9994949495.
    """
    persons, cameras, distractors = 626, 6, 3248
    rng = np.random.default_rng(seed)
    q_pids = (np.arange(queries) % persons + 1).astype(np.int64)
    rng.shuffle(q_pids)
    q_cams = rng.integers(0, cameras, queries).astype(np.int64)
    g_pids = np.concatenate([np.zeros(distractors, np.int64), rng.integers(1, persons + 1, gallery - distractors)])
    rng.shuffle(g_pids)
    g_cams = rng.integers(0, cameras, gallery).astype(np.int64)
    rng = np.random.default_rng(seed + 1)
    distances = (1.0 + 0.12 * rng.standard_normal((queries, gallery), dtype=np.float32)).astype(np.float32)
    same = q_pids[:, None] == g_pids[None, :]
    n = int(same.sum())
    hard = rng.random(n) < 0.12
    noise = np.float32(0.12) * rng.standard_normal(n, dtype=np.float32)
    distances[same] = np.where(hard, 0.75, 0.40).astype(np.float32) + noise
    return np.clip(distances, 0, None), q_pids, g_pids, q_cams, g_cams


def embeddings(queries: int, gallery: int, size: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return query and gallery embeddings f32, their pids and their cameras: 12 gallery tracklets a person, 6 cameras."""
    rng = np.random.default_rng(7)
    persons = max(2, gallery // 12)
    q_pids, g_pids = rng.integers(0, persons, queries), rng.integers(0, persons, gallery)
    centres = rng.standard_normal((persons, size), dtype=np.float32)
    x = centres[q_pids] + np.float32(1.2) * rng.standard_normal((queries, size), dtype=np.float32)
    y = rng.standard_normal((gallery, size), dtype=np.float32)
    y *= np.float32(1.2)
    for start in range(0, gallery, 10_000):
        y[start : start + 10_000] += centres[g_pids[start : start + 10_000]]
    return x, y, q_pids + 1, g_pids + 1, rng.integers(0, 6, queries), rng.integers(0, 6, gallery)
