"""Motion that is known exactly: every method must find it."""

import numpy as np
import pytest

from reproid.gop import Method, group_of_pictures
from support.moving_blocks import moving_blocks

REQUIRED = {"h264-pairs": 0.98, "h264-bstar": 0.98, "block-matching": 0.98}


@pytest.mark.parametrize("noise", [0.0, 3.0], ids=["clean", "noise"])
@pytest.mark.parametrize("quarters", [False, True], ids=["whole", "quarter"])
@pytest.mark.parametrize("method", REQUIRED)
def test_group_of_pictures_known_motion_is_found_exactly(method: Method, quarters: bool, noise: float) -> None:
    exact = []
    for seed in range(4):
        made = moving_blocks(seed, quarters=quarters, noise=noise)
        found = group_of_pictures(made.frames, method=method)
        exact.append((found.motion.numpy() == made.motion).all(axis=1).mean())
    assert np.mean(exact) >= REQUIRED[method], exact


@pytest.mark.parametrize("noise", [0.0, 3.0], ids=["clean", "noise"])
@pytest.mark.parametrize("quarters", [False, True], ids=["whole", "quarter"])
@pytest.mark.parametrize("coherent", [True, False], ids=["coherent", "incoherent"])
def test_block_matching_exhaustive_finds_every_vector(coherent: bool, quarters: bool, noise: float) -> None:
    made = moving_blocks(7, quarters=quarters, noise=noise, coherent=coherent, frames=3, size=(96, 96))
    found = group_of_pictures(made.frames, method="block-matching-exhaustive")
    np.testing.assert_array_equal(found.motion, made.motion)


@pytest.mark.parametrize("quarters", [False, True], ids=["whole", "quarter"])
def test_block_matching_finds_motion_that_no_neighbour_shares(quarters: bool) -> None:
    exact = []
    for seed in range(4):
        made = moving_blocks(seed, quarters=quarters, noise=3.0, coherent=False)
        exact.append((group_of_pictures(made.frames, method="block-matching").motion.numpy() == made.motion).all(axis=1).mean())
    assert np.mean(exact) >= 0.98, exact


def test_grid_points_to_the_patch_it_was_copied_from() -> None:
    made = moving_blocks(1, frames=1, size=(64, 64))
    patches = made.frames[0].reshape(4, 16, 4, 16, 3).transpose(0, 2, 1, 3, 4).reshape(16, 16, 16, 3)
    order = np.random.default_rng(0).permutation(16)
    shuffled = patches[order].reshape(4, 4, 16, 16, 3).transpose(0, 2, 1, 3, 4).reshape(64, 64, 3)
    found = group_of_pictures(np.stack([made.frames[0], shuffled]), method="grid")
    np.testing.assert_array_equal(found.index.numpy().ravel(), order)
    assert not found.residual.any()
