"""Clips of tracklets on demand, for training and for test.

What is drawn for a training clip depends on (seed, axis, epoch, position in the epoch) alone: not on the number of workers, on
which worker makes it, or on what was made before. So a resumed epoch continues with exactly the clips that it lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from reproid.catalog.settings import Clips, Embed
from reproid.clips.augment import augment
from reproid.clips.clip import Sample
from reproid.clips.images import read_frames
from reproid.clips.sampling import consecutive, covering_clips, restricted_random
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Tracklet
from reproid.seeds import Axis, derive_seed

_SAMPLERS = {"restricted-random": restricted_random, "consecutive": consecutive}


@dataclass(frozen=True, slots=True)
class Draw:
    """One training clip that is to be made."""

    epoch: int
    """0-based."""
    position: int
    """0-based place among the clips of the epoch."""
    tracklet: int
    """Which tracklet of the data set."""


@dataclass(frozen=True, kw_only=True)
class TrainingClips:
    """Random, augmented clips of the training tracklets, by `Draw`."""

    tracklets: Sequence[Tracklet]
    data: Path
    """Folder that the frames' names are relative to."""
    settings: Clips
    seed: int

    def __getitem__(self, draw: Draw) -> Sample:
        tracklet, settings = self.tracklets[draw.tracklet], self.settings
        sample = _SAMPLERS[settings.sampling]
        positions = sample(len(tracklet.frames), settings.frames, self._rng("sampling", draw))
        frames = _frames(tracklet, self._folder, positions, settings)
        frames, erased = augment(frames, settings, self._rng("augmentation", draw))
        n_real = min(len(tracklet.frames), settings.frames)
        return Sample(
            frames=frames, erased=erased, n_real=n_real, pid=tracklet.pid, camid=tracklet.camid, tracklet_id=tracklet.tracklet_id
        )

    @cached_property
    def _folder(self) -> DataFolder:
        return DataFolder(self.data)

    def _rng(self, axis: Axis, draw: Draw) -> np.random.Generator:
        return np.random.default_rng(derive_seed(self.seed, axis, draw.epoch, draw.position))


class TestClips:
    """All test clips of some tracklets, in order, without augmentation: item i is a clip of tracklet ``owners[i]``."""

    __test__ = False  # for pytest: not a test

    def __init__(self, tracklets: Sequence[Tracklet], *, data: Path, clips: Clips, embed: Embed) -> None:
        self.tracklets, self.clips = tracklets, clips
        self._folder = DataFolder(data)
        covers = [
            covering_clips(len(tracklet.frames), embed.frames, sampling=embed.sampling, max_clips=embed.max_clips)
            for tracklet in tracklets
        ]
        self.owners = [owner for owner, cover in enumerate(covers) for _ in cover]
        self._positions = [clip for cover in covers for clip in cover]

    def __len__(self) -> int:
        return len(self.owners)

    def __getitem__(self, item: int) -> Sample:
        tracklet, (positions, n_real) = self.tracklets[self.owners[item]], self._positions[item]
        return Sample(
            frames=_frames(tracklet, self._folder, positions, self.clips),
            erased=torch.zeros(len(positions), dtype=torch.bool),
            pid=tracklet.pid,
            camid=tracklet.camid,
            n_real=n_real,
            tracklet_id=tracklet.tracklet_id,
        )


def _frames(tracklet: Tracklet, data: DataFolder, positions: list[int], settings: Clips) -> torch.Tensor:
    names = [tracklet.frames[position] for position in positions]
    # the index knows the first frame's size; in some data sets the boxes of a tracklet differ in size
    declared = {tracklet.frames[0]: (tracklet.width, tracklet.height)}
    return read_frames(data, names, declared=declared, height=settings.height, width=settings.width)
