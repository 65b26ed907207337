import numpy as np
import pytest
import torch

from reproid.catalog.settings import Clips
from reproid.clips.augment import AREA, FILL, RATIO, augment, erase, pad_and_crop


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randint(1, 100, (5, 3, 24, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_augment_flip_certain_mirrors_every_frame(frames: torch.Tensor) -> None:
    done, erased = augment(frames, Clips(flip=1, erasing=0), np.random.default_rng(0))
    assert torch.equal(done, torch.stack([frame.flip(-1) for frame in frames]))
    assert not erased.any()


def test_augment_flip_by_chance_is_all_or_nothing_and_even(frames: torch.Tensor) -> None:
    rng = np.random.default_rng(0)
    results = [augment(frames, Clips(flip=0.5, erasing=0), rng)[0] for _ in range(200)]
    flipped = sum(torch.equal(done, frames.flip(-1)) for done in results)
    assert flipped + sum(torch.equal(done, frames) for done in results) == 200
    assert 70 < flipped < 130


def test_pad_and_crop_shifts_all_frames_alike_and_fills_with_black(frames: torch.Tensor) -> None:
    shifts = set()
    for seed in range(60):
        done = pad_and_crop(frames, 2, np.random.default_rng(seed))
        padded = torch.nn.functional.pad(frames, (2, 2, 2, 2))
        matches = [(y, x) for y in range(5) for x in range(5) if torch.equal(done, padded[..., y : y + 24, x : x + 16])]
        assert len(matches) == 1
        shifts |= set(matches)
    assert {y for y, _ in shifts} == {x for _, x in shifts} == set(range(5))


def test_erase_certain_fills_one_rectangle_per_frame_with_the_mean_colour() -> None:
    frames = torch.zeros(200, 3, 64, 32, dtype=torch.uint8)
    done, erased = erase(frames, 1.0, np.random.default_rng(0))
    assert erased.all()
    assert not frames.any(), "the frames given must stay as they were"
    for frame in done:
        rows, columns = frame[0].nonzero(as_tuple=True)
        height, width = (int(axis.max() - axis.min()) + 1 for axis in (rows, columns))
        box = frame[:, rows.min() : rows.min() + height, columns.min() : columns.min() + width]
        assert torch.equal(box, torch.tensor(FILL, dtype=torch.uint8)[:, None, None].expand_as(box))
        assert len(rows) == height * width
        # rounding to whole pixels moves both bounds by half a pixel per side
        assert AREA[0] * 64 * 32 - (height + width) / 2 - 1 <= height * width <= AREA[1] * 64 * 32 + (height + width) / 2 + 1
        assert RATIO[0] * (width - 0.5) - 0.5 <= height <= RATIO[1] * (width + 0.5) + 0.5


def test_erase_by_chance_flags_exactly_the_changed_frames(frames: torch.Tensor) -> None:
    many = frames.repeat(40, 1, 1, 1)
    done, erased = erase(many, 0.3, np.random.default_rng(0))
    assert torch.equal((done != many).flatten(1).any(dim=1), erased)
    assert 35 < int(erased.sum()) < 85


def test_augment_same_generator_gives_same_bytes(frames: torch.Tensor) -> None:
    one, two = (augment(frames, Clips(pad=3), np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
