"""Clips of tracklets on demand, for training and for test.

What is drawn for a training clip depends on (seed, axis, epoch, position in the epoch) alone: not on the number of workers, on
which worker makes it, or on what was made before. So a resumed epoch continues with exactly the clips that it lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from reproid.catalog.settings import Clips, Embed, Gop
from reproid.clips.augment import augment
from reproid.clips.clip import Sample
from reproid.clips.images import read_frames
from reproid.clips.sampling import consecutive, covering_clips, restricted_random
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Tracklet
from reproid.seeds import Axis, derive_seed

if TYPE_CHECKING:
    from reproid.clips.motion import Motion, MotionOfClips
    from reproid.clips.stored_motion import StoredMotion

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
    gop: Gop | None = None
    """How clips get a group of pictures, for a method that requires one."""

    def __getitem__(self, draw: Draw) -> Sample:
        tracklet, settings = self.tracklets[draw.tracklet], self.settings
        sample = _SAMPLERS[settings.sampling]
        positions = sample(len(tracklet.frames), settings.frames, self._rng("sampling", draw))
        frames = _frames(tracklet, self._folder, positions, settings)
        rng = self._rng("augmentation", draw)
        if self._motion is None:
            (frames, erased), motion = augment(frames, settings, rng), None
        else:
            frames, erased, motion = self._motion.augment(frames, settings, rng)
        return _sample(tracklet, frames, erased, min(len(tracklet.frames), settings.frames), motion)

    @cached_property
    def _folder(self) -> DataFolder:
        return DataFolder(self.data)

    @cached_property
    def _motion(self) -> "MotionOfClips | None":
        return _motion_of_clips(self.gop)

    def _rng(self, axis: Axis, draw: Draw) -> np.random.Generator:
        return np.random.default_rng(derive_seed(self.seed, axis, draw.epoch, draw.position))


class TestClips:
    """All test clips of some tracklets, in order, without augmentation: item i is a clip of tracklet ``owners[i]``.

    Args:
        tracklets: to cover.
        data: folder that the frames' names are relative to.
        clips: H and W.
        embed: which frames a clip takes.
        gop: how clips get a group of pictures, for a method that requires one.
        stored: motion that `reproid media` wrote, to be read and not found again.
    """

    __test__ = False  # for pytest: not a test

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        *,
        data: Path,
        clips: Clips,
        embed: Embed,
        gop: Gop | None = None,
        stored: "StoredMotion | None" = None,
    ) -> None:
        self.tracklets, self.clips = tracklets, clips
        self._folder = DataFolder(data)
        self._motion, self._stored = None if stored else _motion_of_clips(gop), stored
        covers = [
            covering_clips(len(tracklet.frames), embed.frames, sampling=embed.sampling, max_clips=embed.max_clips)
            for tracklet in tracklets
        ]
        self.owners = [owner for owner, cover in enumerate(covers) for _ in cover]
        self._positions = [clip for cover in covers for clip in cover]
        self._numbers = [number for cover in covers for number in range(len(cover))]

    def __len__(self) -> int:
        return len(self.owners)

    def __getitem__(self, item: int) -> Sample:
        tracklet, (positions, n_real) = self.tracklets[self.owners[item]], self._positions[item]
        frames = _frames(tracklet, self._folder, positions, self.clips)
        if self._stored is not None:
            motion: Motion | None = self._stored.read(tracklet.tracklet_id, self._numbers[item], positions)
        else:
            motion = self._motion.find(frames) if self._motion is not None else None
        return _sample(tracklet, frames, torch.zeros(len(positions), dtype=torch.bool), n_real, motion)

    def place(self, item: int) -> tuple[Tracklet, int, list[int]]:
        """Return a clip's tracklet, its number among the tracklet's clips, and the positions of its frames."""
        return self.tracklets[self.owners[item]], self._numbers[item], self._positions[item][0]

    def spread(self, most: int) -> list[int]:
        """Return at most so many clips, spread evenly; of several frames where there are such."""
        several = [item for item in range(len(self)) if len(set(self._positions[item][0])) > 1] or list(range(len(self)))
        count = min(most, len(several))
        return [several[(2 * i + 1) * len(several) // (2 * count)] for i in range(count)]


def _sample(tracklet: Tracklet, frames: torch.Tensor, erased: torch.Tensor, n_real: int, motion: "Motion | None") -> Sample:
    return Sample(
        frames=frames,
        erased=erased,
        pid=tracklet.pid,
        camid=tracklet.camid,
        n_real=n_real,
        tracklet_id=tracklet.tracklet_id,
        motion=None if motion is None else motion.motion,
        valid=None if motion is None else motion.valid,
        residual=None if motion is None else motion.residual,
    )


def _motion_of_clips(gop: Gop | None) -> "MotionOfClips | None":
    if gop is None:
        return None
    from reproid.clips.motion import MotionOfClips  # what it imports costs a process without motion half a second

    return MotionOfClips(gop)


def _frames(tracklet: Tracklet, data: DataFolder, positions: list[int], settings: Clips) -> torch.Tensor:
    names = [tracklet.frames[position] for position in positions]
    # the index knows the first frame's size; in some data sets the boxes of a tracklet differ in size
    declared = {tracklet.frames[0]: (tracklet.width, tracklet.height)} if tracklet.width else {}
    return read_frames(data, names, declared=declared, height=settings.height, width=settings.width)
