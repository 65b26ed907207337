import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.gop.warp import residual, warp, warp_by_gather
from support.moving_blocks import moving_blocks, quarter_sample


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(16, 70), width=st.integers(16, 70), reach=st.sampled_from([0, 3, 40, 300]))
def test_warp_moves_every_block_as_the_standard_interpolates(seed: int, height: int, width: int, reach: int) -> None:
    """Any vector, also far outside the frame; pixels beyond the last whole block move with it. Both kernels, all channels."""
    rng = np.random.default_rng(seed)
    i_frame = torch.from_numpy(rng.integers(0, 256, (3, height, width)).astype(np.uint8))
    quarters = rng.integers(-reach, reach + 1, (2, 2, height // 16, width // 16))
    motion = torch.from_numpy((quarters / 4).astype(np.float32))
    warped = warp(i_frame, motion)
    assert torch.equal(warped, warp_by_gather(i_frame[None], motion[None])[0])
    row, column = rng.integers(height // 16), rng.integers(width // 16)
    bottom = height if row == height // 16 - 1 else row * 16 + 16
    end = width if column == width // 16 - 1 else column * 16 + 16
    for channel in range(3):
        dx, dy = quarters[1, :, row, column]
        image = i_frame[channel].numpy()
        size = bottom - row * 16, end - column * 16
        expected = quarter_sample(image, row * 64 + dy, column * 64 + dx, *size)
        np.testing.assert_array_equal(warped[1, channel, row * 16 : bottom, column * 16 : end], expected)


def test_warp_takes_batches() -> None:
    rng = np.random.default_rng(0)
    frames = torch.from_numpy(rng.integers(0, 256, (2, 3, 3, 32, 48)).astype(np.uint8))
    motion = torch.from_numpy(rng.integers(-20, 20, (2, 2, 2, 2, 3)).astype(np.float32))
    warped = warp(frames[:, 0], motion)
    assert torch.equal(warped, torch.stack([warp(clip[0], field) for clip, field in zip(frames, motion, strict=True)]))
    assert torch.equal(warped.float() + residual(frames, warped), frames[:, 1:].float())


def test_warp_motion_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"motion must be \[1, 2, 2, 3\] for frames of 32 x 48, got \[1, 2, 2, 2\]"):
        warp(torch.zeros(3, 32, 48, dtype=torch.uint8), torch.zeros(1, 2, 2, 2))


def test_warp_with_the_true_motion_gives_the_p_frames() -> None:
    made = moving_blocks(1, frames=3, size=(64, 64))
    frames = torch.from_numpy(made.frames).permute(0, 3, 1, 2)
    assert torch.equal(warp(frames[0], torch.from_numpy(made.motion)), frames[1:])
