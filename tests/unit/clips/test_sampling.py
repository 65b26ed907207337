import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproid.clips.sampling import consecutive, covering_clips, looped, restricted_random

lengths, sizes, seeds = st.integers(1, 60), st.integers(1, 12), st.integers(0, 10_000)


@given(n=lengths, frames=sizes, seed=seeds)
def test_restricted_random_any_length_takes_one_frame_per_chunk(n: int, frames: int, seed: int) -> None:
    positions = restricted_random(n, frames, np.random.default_rng(seed))
    assert len(positions) == frames
    if n < frames:
        assert positions == [i % n for i in range(frames)]
    else:
        for i, position in enumerate(positions):
            assert i * n // frames <= position < (i + 1) * n // frames


def test_restricted_random_many_draws_reach_every_frame() -> None:
    rng = np.random.default_rng(0)
    seen = {position for _ in range(300) for position in restricted_random(10, 4, rng)}
    assert seen == set(range(10))


@given(n=lengths, frames=sizes, seed=seeds)
def test_consecutive_any_length_takes_a_row_of_frames(n: int, frames: int, seed: int) -> None:
    positions = consecutive(n, frames, np.random.default_rng(seed))
    real = min(n, frames)
    assert positions[:real] == list(range(positions[0], positions[0] + real))
    assert positions[real:] == [positions[i % real] for i in range(real, frames)]
    assert max(positions) < n


def test_consecutive_many_draws_reach_first_and_last_frame() -> None:
    rng = np.random.default_rng(0)
    starts = {consecutive(7, 4, rng)[0] for _ in range(100)}
    assert starts == {0, 1, 2, 3}


@given(n=lengths, frames=sizes, sampling=st.sampled_from(["dense", "strided"]))
def test_covering_clips_unlimited_show_every_frame_once(n: int, frames: int, sampling: str) -> None:
    clips = covering_clips(n, frames, sampling=sampling)
    assert all(len(positions) == frames for positions, _ in clips)
    assert sorted(p for positions, n_real in clips for p in positions[:n_real]) == list(range(n))
    assert all(positions[n_real:] == [positions[i % n_real] for i in range(n_real, frames)] for positions, n_real in clips)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ("dense", [([0, 1, 2, 3], 4), ([4, 5, 6, 7], 4), ([8, 9, 8, 9], 2)]),
        ("strided", [([0, 3, 6, 9], 4), ([1, 4, 7, 1], 3), ([2, 5, 8, 2], 3)]),
    ],
    ids=["dense", "strided"],
)
def test_covering_clips_ten_frames_by_four(sampling: str, expected: list[tuple[list[int], int]]) -> None:
    assert covering_clips(10, 4, sampling=sampling) == expected


@pytest.mark.parametrize(("most", "kept"), [(1, [2]), (2, [1, 3]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])], ids=str)
def test_covering_clips_with_max_clips_keep_an_even_choice(most: int, kept: list[int]) -> None:
    clips = covering_clips(10, 2, sampling="dense", max_clips=most)
    assert [positions[0] // 2 for positions, _ in clips] == kept


def test_looped_short_list_starts_over() -> None:
    assert looped([4, 7], 5) == [4, 7, 4, 7, 4]
