"""P x K batches: P persons, K clips of each. What an epoch holds depends on (seed, epoch) alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reproid.catalog.settings import Train
from reproid.clips.datasets import Draw
from reproid.errors import InputError
from reproid.seeds import derive_seed


@dataclass(frozen=True, kw_only=True)
class PersonSampler:
    """The batches of a training.

    The persons of an epoch come in random order, each once before any comes again, and never twice in one batch. A person's K
    clips are of different tracklets while they last, then start over. By default an epoch is ceil(persons / P) steps.
    """

    members: tuple[tuple[int, ...], ...]
    """Per person, the tracklets."""
    persons: int
    """P."""
    clips_per_person: int
    """K."""
    steps: int
    """Per epoch."""
    seed: int

    def batch(self, epoch: int, order: Sequence[int], step: int) -> list[Draw]:
        """Return the batch at ``step`` of an epoch whose persons are in ``order``."""
        K = self.clips_per_person
        size = self.persons * K
        chosen = []
        for slot, person in enumerate(order[step * self.persons : (step + 1) * self.persons]):
            rng = np.random.default_rng(derive_seed(self.seed, "order", "tracklets", epoch, step * self.persons + slot))
            chosen += [self.members[person][i] for i in _draws(len(self.members[person]), K, rng)]
        return [Draw(epoch, step * size + slot, tracklet) for slot, tracklet in enumerate(chosen)]

    def order(self, epoch: int) -> list[int]:
        """Return the persons of an epoch, steps x P of them."""
        rng = np.random.default_rng(derive_seed(self.seed, "order", "persons", epoch))
        order: list[int] = []
        waiting: list[int] = []
        while len(order) < self.steps * self.persons:
            batch = set(order[len(order) - len(order) % self.persons :])
            if all(person in batch for person in waiting):
                waiting += rng.permutation(len(self.members)).tolist()
            place = next(i for i, person in enumerate(waiting) if person not in batch)
            order.append(waiting.pop(place))
        return order

    def batches(self, epochs: int, *, epoch: int = 0, step: int = 0) -> Iterator[list[Draw]]:
        """Yield all batches from ``step`` of ``epoch`` (both 0-based) to the end of the last epoch."""
        for now in range(epoch, epochs):
            order = self.order(now)
            for at in range(step if now == epoch else 0, self.steps):
                yield self.batch(now, order, at)


def person_sampler(pids: Sequence[int], settings: Train, *, seed: int, where: object) -> PersonSampler:
    """Return the sampler of training tracklets whose persons are ``pids``; persons are numbered in the order of their pid.

    Raises:
        InputError: if there are fewer persons than a batch needs, or a triplet has no negative.
    """
    persons = sorted(set(pids))
    P = settings.batch.persons
    if len(persons) < P:
        fix = "Lower train.batch.persons"
        raise InputError("too few persons to train on", where=where, expected=f"at least {P}", got=len(persons), fix=fix)
    if settings.loss.triplet and P < 2:
        raise InputError("a triplet needs a negative", where="train.batch.persons", expected="at least 2", got=P)
    members = tuple(tuple(i for i, pid in enumerate(pids) if pid == person) for person in persons)
    steps = settings.steps_per_epoch or -(-len(persons) // P)
    return PersonSampler(members=members, persons=P, clips_per_person=settings.batch.clips_per_person, steps=steps, seed=seed)


def _draws(n: int, k: int, rng: np.random.Generator) -> list[int]:
    """Return ``k`` of ``n`` items: whole shuffles one after the other, so that none comes again before all have come."""
    shuffles = [rng.permutation(n) for _ in range(-(-k // n))]
    return [int(i) for i in np.concatenate(shuffles)[:k]]
