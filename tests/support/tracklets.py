"""A few tracklets of coloured noise with an index, and runs on them: what tests of clips, training and inference start from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Settings
from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.index import Assignment, Index, Tracklet, write_index

WIDTH, HEIGHT = 16, 32
OPTIONS = {"layers": [1, 1, 1, 1], "channels": [4, 4, 4, 8], "pretrained": None}


@dataclass(frozen=True)
class Places:
    """Where the fixture's files are."""

    index: Path
    data: Path

    @property
    def frames(self) -> list[Path]:
        return sorted(self.data.rglob("*.png"))


def write_tracklets(folder: Path, *, persons: int = 6) -> Places:
    """Write persons with two tracklets in each of two cameras, of 2 to 5 frames; the last two persons are the test part."""
    places = Places(index=folder / "index", data=folder / "data")
    rng = np.random.default_rng(0)
    records, subsets, assignments = {}, {}, []
    for pid in range(1, persons + 1):
        colour = rng.integers(40, 216, size=3)
        for number in range(4):
            name = f"p{pid}c{number % 2}t{number}"
            frames = tuple(f"p{pid}/{name}f{t}.png" for t in range(2 + (pid + number) % 4))
            for frame in frames:
                write_image(places.data / frame, colour, rng)
            records[name] = Tracklet(tracklet_id=name, pid=pid, camid=number % 2, frames=frames, width=WIDTH, height=HEIGHT)
            train = pid <= persons - 2
            subsets[name] = "train" if train else "test"
            roles = ("train",) if train else ("query", "gallery") if number == 0 else ("gallery",)
            assignments += [Assignment(split="official", tracklet_id=name, role=role) for role in roles]
    write_index(Index(dataset="noise", subsets=subsets, records=records, assignments=tuple(assignments)), places.index)
    return places


def write_image(path: Path, colour: np.ndarray, rng: np.random.Generator) -> None:
    pixels = np.clip(colour + rng.normal(0, 20, size=(HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def small_run(*, seed: int = 0, revision: int = 1, **overrides: Any) -> Run:
    """Return a run of the smallest baseline; ``overrides`` are settings of training."""
    train = {"epochs": 2, "steps_per_epoch": 3, "batch": {"persons": 3, "clips_per_person": 2}} | overrides
    settings = {
        "method": "resnet50",
        "options": OPTIONS | {"last_stride": 1, "neck": True},
        "clips": {"frames": 2, "height": HEIGHT, "width": WIDTH},
        "train": train,
        "embed": {"frames": 2},
    }
    spec = SyntheticDataSet(title="noise", layout="mars", licence="none", source="synthetic", spec=SyntheticSpec())
    validated = Settings.model_validate(settings)
    return make_run(validated, dataset="noise", data=spec, split="official", seed=seed, revision=revision)
