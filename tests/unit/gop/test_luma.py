import numpy as np
import pytest
import torch

from reproid.gop.luma import luma_of


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (64, 48)], ids=str)
def test_luma_is_the_rounded_weighted_sum(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 3, *size)).astype(np.uint8)
    frames[0, :, 0, 0], frames[0, :, -1, -1] = 255, 0
    red, green, blue = frames.astype(np.int64).transpose(1, 0, 2, 3)
    found = luma_of(torch.from_numpy(frames))
    np.testing.assert_array_equal(found, (77 * red + 150 * green + 29 * blue + 128) // 256)
    assert found[0, 0, 0] == 255
