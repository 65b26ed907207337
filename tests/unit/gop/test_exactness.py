"""Motion that is known exactly: every method must find it."""

import numpy as np
import pytest

from reproid.gop import Method, group_of_pictures
from support.moving_blocks import moving_blocks

REQUIRED = {"h264-pairs": 0.98, "h264-bstar": 0.98}


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
