from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproid.catalog.settings import Train
from reproid.errors import InputError
from reproid.training.sampler import PersonSampler, person_sampler


def _sampler(counts: list[int], *, persons: int, clips: int = 2, steps: int | None = None, seed: int = 0) -> PersonSampler:
    pids = [10 * person for person, count in enumerate(counts) for _ in range(count)]
    settings = Train.model_validate({"steps_per_epoch": steps, "batch": {"persons": persons, "clips_per_person": clips}})
    return person_sampler(pids, settings, seed=seed, where="index")


@given(
    counts=st.lists(st.integers(1, 5), min_size=4, max_size=11),
    persons=st.integers(2, 4),
    clips=st.integers(2, 4),
    steps=st.none() | st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_batches_any_sizes_hold_p_persons_k_clips_each(
    counts: list[int], persons: int, clips: int, steps: int | None, seed: int
) -> None:
    sampler = _sampler(counts, persons=persons, clips=clips, steps=steps, seed=seed)
    owner = {tracklet: person for person, members in enumerate(sampler.members) for tracklet in members}
    batches = list(sampler.batches(2))
    assert len(batches) == 2 * (steps or -(-len(counts) // persons))
    for epoch in range(2):
        own = [batch for batch in batches if batch[0].epoch == epoch]
        assert [draw.position for batch in own for draw in batch] == list(range(len(own) * persons * clips))
    for batch in batches:
        groups = Counter(owner[draw.tracklet] for draw in batch)
        assert len(groups) == persons
        assert set(groups.values()) == {clips}
        for person in groups:
            times = Counter(draw.tracklet for draw in batch if owner[draw.tracklet] == person)
            assert len(times) == min(clips, counts[person])
            assert max(times.values()) == -(-clips // counts[person])


@given(persons=st.integers(2, 5), seed=st.integers(0, 99))
def test_order_visits_every_person_before_any_again(persons: int, seed: int) -> None:
    sampler = _sampler([2] * 7, persons=persons, steps=9, seed=seed)
    order = sampler.order(0)
    for at in range(0, 9 * persons + 1, 7):
        counts = Counter(order[:at])
        # a person that is already in a batch waits for the next: at most one batch of disorder
        assert max(counts.values(), default=0) - min((counts[p] for p in range(7)), default=0) <= 2
    assert set(order[:7]) == set(range(7)) or persons > 7


def test_order_of_one_pass_is_a_permutation() -> None:
    sampler = _sampler([2] * 8, persons=4)
    assert sorted(sampler.order(3)) == list(range(8))
    assert sampler.order(3) != sampler.order(4)


def test_batches_depend_on_seed_and_epoch_and_repeat() -> None:
    one, again, other = (list(_sampler([3] * 6, persons=3, seed=seed).batches(2)) for seed in (0, 0, 1))
    assert one == again
    assert [d.tracklet for d in one[0]] != [d.tracklet for d in other[0]]
    assert [d.tracklet for d in one[0]] != [d.tracklet for d in one[2]]


def test_batches_started_late_continue_the_same() -> None:
    sampler = _sampler([3] * 6, persons=2)
    assert list(sampler.batches(3, epoch=1, step=2)) == list(sampler.batches(3))[3 + 2 :]


def test_person_sampler_too_few_persons_says_how_many() -> None:
    with pytest.raises(
        InputError, match=r"index: too few persons to train on; expected at least 4, got 3\. Lower train\.batch\.persons"
    ):
        _sampler([2, 2, 2], persons=4)


def test_person_sampler_one_person_has_no_negative() -> None:
    with pytest.raises(InputError, match=r"train\.batch\.persons: a triplet needs a negative; expected at least 2, got 1"):
        _sampler([2, 2, 2], persons=1)
