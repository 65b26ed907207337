"""Who is seen by which camera, for how long: the labels of a synthetic set, known before a pixel is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reproid.catalog.synthetic import SyntheticSpec
from reproid.seeds import derive_seed
from reproid.synthetic._person import Person, draw_person, draw_twin

JUNK, DISTRACTOR = -1, 0


@dataclass(frozen=True, kw_only=True)
class PlannedTracklet:
    """One tracklet to render."""

    subset: Literal["train", "test"]
    pid: int
    """-1 junk, 0 distractor, persons from 1 on: first the training ones."""
    camid: int
    """0-based."""
    number: int
    """1-based among the tracklets of this pid in this camera."""
    frames: int
    query: bool
    """A query of the official split; it is in the gallery too."""

    @property
    def key(self) -> str:
        """Name that is unique in the set: pid, camera and number, as in MARS."""
        pid = "00-1" if self.pid == JUNK else f"{self.pid:04d}"
        return f"{pid}C{self.camid + 1}T{self.number:04d}"


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything about a set but its pixels."""

    spec: SyntheticSpec
    persons: dict[int, Person]
    """By pid, from 1 on."""
    twins: dict[int, tuple[int, str]]
    """For a near-twin: the pid it resembles, and the attribute in which it differs."""
    tracklets: tuple[PlannedTracklet, ...]
    """In the order of the set: training, junk, distractors, test; by pid, camera, number."""

    def person(self, tracklet: PlannedTracklet) -> Person:
        """Return who walks in a tracklet; distractors and junk show strangers."""
        if tracklet.pid > 0:
            return self.persons[tracklet.pid]
        return draw_person(np.random.default_rng(derive_seed(self.spec.seed, "data", "stranger", tracklet.key)))

    def counts(self) -> dict[str, int]:
        """Return the counts that an index of this set must show, by names of `reproid.datasets.index.COUNT_NAMES`."""
        train = [t for t in self.tracklets if t.subset == "train"]
        test = [t for t in self.tracklets if t.subset == "test"]
        return {
            "train_persons": len({t.pid for t in train}),
            "train_tracklets": len(train),
            "train_frames": sum(t.frames for t in train),
            "test_persons": len({t.pid for t in test}),
            "test_tracklets": len(test),
            "test_frames": sum(t.frames for t in test),
            "query_tracklets": sum(t.query for t in test),
            "junk_tracklets": sum(t.pid == JUNK for t in test),
            "distractor_tracklets": sum(t.pid == DISTRACTOR for t in test),
        }


def make_world(spec: SyntheticSpec) -> World:
    """Return the plan of a set: equal specs give equal worlds."""
    persons, twins = _draw_persons(spec)
    train = [t for pid in range(1, spec.train_persons + 1) for t in _of_person(spec, pid, "train")]
    test = [t for pid in range(spec.train_persons + 1, len(persons) + 1) for t in _of_person(spec, pid, "test")]
    others = [*_strangers(spec, JUNK, spec.junk), *_strangers(spec, DISTRACTOR, spec.distractors)]
    return World(spec=spec, persons=persons, twins=twins, tracklets=(*train, *others, *test))


def _draw_persons(spec: SyntheticSpec) -> tuple[dict[int, Person], dict[int, tuple[int, str]]]:
    persons: dict[int, Person] = {}
    twins: dict[int, tuple[int, str]] = {}
    for pid in range(1, spec.train_persons + spec.test_persons + 1):
        rng = np.random.default_rng(derive_seed(spec.seed, "data", "person", pid))
        # A pair stays within one part of the set: a test person never resembles a training person on purpose.
        alone = pid in (1, spec.train_persons + 1) or pid - 1 in twins
        if not alone and rng.random() < spec.near_twins:
            persons[pid], attribute = draw_twin(persons[pid - 1], rng)
            twins[pid] = (pid - 1, attribute)
        else:
            persons[pid] = draw_person(rng)
    return persons, twins


def _of_person(spec: SyntheticSpec, pid: int, subset: Literal["train", "test"]) -> Iterator[PlannedTracklet]:
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "plan", pid))
    least, most = (min(n, spec.cameras) for n in spec.cameras_per_person)
    seen = sorted(rng.permutation(spec.cameras)[: int(rng.integers(least, most + 1))].tolist())
    for camid in seen:
        for number in range(1, int(rng.integers(spec.tracklets_per_camera[0], spec.tracklets_per_camera[1] + 1)) + 1):
            frames = int(rng.integers(spec.frames[0], spec.frames[1] + 1))
            if number > 1 and rng.random() < spec.short_tracklets:
                frames = int(rng.integers(2, 8))
            query = subset == "test" and number == 1
            yield PlannedTracklet(subset=subset, pid=pid, camid=camid, number=number, frames=frames, query=query)


def _strangers(spec: SyntheticSpec, pid: int, count: int) -> list[PlannedTracklet]:
    rng = np.random.default_rng(derive_seed(spec.seed, "data", "strangers", pid))
    numbers = [0] * spec.cameras
    out = []
    for _ in range(count):
        camid = int(rng.integers(spec.cameras))
        numbers[camid] += 1
        frames = int(rng.integers(spec.frames[0], spec.frames[1] + 1))
        out.append(PlannedTracklet(subset="test", pid=pid, camid=camid, number=numbers[camid], frames=frames, query=False))
    return sorted(out, key=lambda t: (t.camid, t.number))
