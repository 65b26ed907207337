"""What a report draws of a run beside its numbers, as plain data: figures/<sampling>.json.

Keys: schema, run_id, clips (how many), means (of the metrics over all test clips), gmacs (of a test clip at these means; null
where the method has no formula), points (a t-SNE of some persons' descriptors: tracklet_id, pid, camid, x, y) and examples (some
clips: tracklet_id, clip, positions, height, width, frames as JPEGs in base64, and maps by name: kind mask or heat, rows, columns,
values frame by frame in row-major order).
"""

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from reproid.catalog.runs import Run
from reproid.clips.clip import Clip
from reproid.clips.datasets import TestClips
from reproid.inference.tsne import tsne
from reproid.media.examples import MOST_CLIPS, jpeg
from reproid.models.base import ClipModel, Output
from reproid.models.macs import ClipSize, formula_of

SCHEMA = 1
MOST_PERSONS, MOST_POINTS = 12, 240
"""Of the t-SNE: more cannot be told apart by colour and shape."""


class Seen:
    """Collects, batch by batch, what is drawn of all clips and of some.

    Args:
        clips: all of them.
    """

    def __init__(self, clips: TestClips) -> None:
        self._clips = clips
        self._chosen = frozenset(clips.spread(MOST_CLIPS))
        self._sums: dict[str, float] = {}
        self.clips = 0
        self.examples: list[dict[str, Any]] = []

    def add(self, items: list[int], clip: Clip, output: Output) -> None:
        """Take a batch: the numbers of its clips, the batch, what the model made of it."""
        self.clips += len(items)
        for name, value in output.metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + len(items) * float(value)
        if output.maps:
            self.examples += [self._example(item, at, clip, output) for at, item in enumerate(items) if item in self._chosen]

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over all clips."""
        return {name: round(total / self.clips, 6) for name, total in self._sums.items()}

    def _example(self, item: int, at: int, clip: Clip, output: Output) -> dict[str, Any]:
        tracklet, number, positions = self._clips.place(item)
        real = int(clip.n_real[at])
        frames = clip.frames[at, :real].permute(0, 2, 3, 1).cpu().numpy()
        return {
            "tracklet_id": tracklet.tracklet_id,
            "clip": number,
            "positions": positions[:real],
            "height": frames.shape[1],
            "width": frames.shape[2],
            "frames": [jpeg(frame) for frame in frames],
            "maps": {name: _map(values[at, :real]) for name, values in output.maps.items()},
        }


def figures_of(run: Run, model: ClipModel, seen: Seen, columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the content of figures/<sampling>.json.

    Args:
        run: the run.
        model: its model.
        seen: what was collected on the way.
        columns: the arrays of its embeddings file.
    """
    means = seen.means()
    return {
        "schema": SCHEMA,
        "run_id": run.run_id,
        "clips": seen.clips,
        "means": means,
        "gmacs": _gmacs(run, model.options_at(means)),
        "points": _points(columns),
        "examples": seen.examples,
    }


def some_persons(pids: np.ndarray, is_query: np.ndarray) -> np.ndarray:
    """Return rows of the searched persons with the most tracklets, the lower number first of equals, person by person.

    At most `MOST_PERSONS` persons, each with as many tracklets as keep the sum below `MOST_POINTS`.
    """
    persons, counts = np.unique(pids[np.isin(pids, pids[is_query])], return_counts=True)
    chosen = persons[np.argsort(-counts, kind="stable")][:MOST_PERSONS]
    most = MOST_POINTS // MOST_PERSONS
    rows = [np.flatnonzero(pids == person)[:most] for person in sorted(chosen)]
    return np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)


def _points(columns: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    rows = some_persons(columns["pids"], columns["is_query"])
    descriptors = columns["embeddings"][rows].astype(np.float64)
    if len(rows) < 2 or not np.isfinite(descriptors).all():
        return []
    lengths = np.linalg.norm(descriptors, axis=1, keepdims=True)
    places = tsne(descriptors / np.maximum(lengths, 1e-12))  # between directions, as the cosine of the protocols compares
    return [
        {
            "tracklet_id": str(columns["tracklet_ids"][row]),
            "pid": int(columns["pids"][row]),
            "camid": int(columns["camids"][row]),
            "x": round(float(x), 3),
            "y": round(float(y), 3),
        }
        for row, (x, y) in zip(rows, places, strict=True)
    ]


def _gmacs(run: Run, measured: dict[str, Any]) -> float | None:
    """Return the cost of a test clip by the method's formula, at the shares that were measured."""
    settings = run.settings
    if importlib.util.find_spec(f"reproid.models.{settings.method}.macs") is None:
        return None
    size = ClipSize(frames=settings.embed.frames, height=settings.clips.height, width=settings.clips.width)
    return round(formula_of(settings.method, settings.options | measured, size).total / 1e9, 6)


def _map(values: Tensor) -> dict[str, Any]:
    """Return a map [T, rows, columns] as plain data."""
    mask = not values.is_floating_point()
    flat = values.flatten(1).cpu()
    return {
        "kind": "mask" if mask else "heat",
        "rows": values.shape[1],
        "columns": values.shape[2],
        "values": [[int(value) if mask else round(value, 3) for value in frame] for frame in flat.tolist()],
    }
