import pickle
import random

import numpy as np
import pytest
import torch

from reproid.errors import InputError
from reproid.gop import METHODS, Extractor, GroupOfPictures, Method, group_of_pictures
from support.moving_blocks import moving_blocks

CODECS = ("h264-pairs", "h264-bstar", "h264-chain")


def clip_of(kind: str, *, frames: int = 8, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    rng = np.random.default_rng(5)
    if kind == "moving":
        return moving_blocks(3, frames=frames, size=size, reach=6).frames
    if kind == "noise":
        return rng.integers(0, 256, (frames, *size, 3)).astype(np.uint8)
    if kind == "identical":
        return np.repeat(moving_blocks(4, frames=1, size=size).frames, frames, axis=0)
    assert kind == "flat"
    return np.full((frames, *size, 3), 90, np.uint8)


def assert_keeps_its_promises(found: GroupOfPictures, frames: np.ndarray) -> None:
    count, height, width, _ = frames.shape
    rows, columns = height // 16, width // 16
    assert (found.motion.dtype, found.motion.shape) == (torch.float32, (count - 1, 2, rows, columns))
    assert (found.valid.dtype, found.valid.shape) == (torch.bool, (count - 1, rows, columns))
    assert (found.index.dtype, found.index.shape) == (torch.int64, (count - 1, rows, columns))
    assert (found.residual.dtype, found.residual.shape) == (torch.float32, (count - 1, 3, height, width))
    assert torch.equal(found.motion * 4, (found.motion * 4).round())
    assert (found.motion.abs() <= 64).all() or found.method == "grid"
    centre_x = torch.arange(columns) * 16 + 8 + found.motion[:, 0]
    centre_y = torch.arange(rows)[:, None] * 16 + 8 + found.motion[:, 1]
    assert ((centre_x >= 0) & (centre_x <= width) & (centre_y >= 0) & (centre_y <= height)).all()
    assert ((found.index >= 0) & (found.index < rows * columns)).all()
    original = torch.from_numpy(frames).permute(0, 3, 1, 2)[1:].float()
    assert torch.equal(found.warped.float() + found.residual, original)


@pytest.mark.parametrize("size", [(64, 48), (63, 49), (16, 16), (33, 17)], ids=str)
@pytest.mark.parametrize("frames", [8, 2, 1])
@pytest.mark.parametrize("kind", ["moving", "noise", "flat"])
@pytest.mark.parametrize("method", METHODS)
def test_extractor_any_clip_keeps_the_promises(method: Method, kind: str, frames: int, size: tuple[int, int]) -> None:
    clip = clip_of("moving", size=(64, 64))[:, : size[0], : size[1]] if kind == "moving" else clip_of(kind, size=size)
    clip = clip[:frames]
    assert_keeps_its_promises(group_of_pictures(clip, method=method), clip)


def test_extractor_identical_frames_do_not_move() -> None:
    for method in METHODS:
        found = group_of_pictures(clip_of("identical"), method=method)
        assert found.valid.all()
        assert not found.motion.any()
        assert not found.residual.any()
        assert torch.equal(found.index, torch.arange(12).reshape(4, 3).expand(7, -1, -1))


def test_extractor_flat_frames_do_not_move() -> None:
    for method in METHODS:
        assert not group_of_pictures(clip_of("flat"), method=method).motion.any()


def test_extractor_blocks_of_noise_are_marked_invalid() -> None:
    for method in CODECS:
        assert group_of_pictures(clip_of("noise", size=(128, 64)), method=method).valid.float().mean() < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_extractor_same_vectors_in_any_order_and_on_every_repeat(method: Method) -> None:
    clips = [clip_of(kind) for kind in ("moving", "noise", "flat", "identical")] + [clip_of("moving", frames=4)]
    clips += [moving_blocks(seed, size=(64, 48), noise=2).frames for seed in range(4)]
    alone = [Extractor(method)(clip) for clip in clips]
    extractor, order = Extractor(method), list(range(len(clips))) * 2
    random.Random(1).shuffle(order)
    for k in order:
        found = extractor(clips[k])
        assert torch.equal(found.motion, alone[k].motion)
        assert torch.equal(found.valid, alone[k].valid)


def test_extractor_is_copied_without_what_it_keeps_open() -> None:
    extractor = Extractor("h264-pairs")
    clip = clip_of("moving")
    copied = pickle.loads(pickle.dumps((extractor, extractor(clip)))[:])[0]  # noqa: S301
    assert torch.equal(copied(clip).motion, extractor(clip).motion)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((8, 3, 64, 48), np.uint8), r"not a clip; expected uint8 \[T, H, W, 3\], RGB, got uint8 \[8, 3, 64, 48\]"),
        (np.zeros((8, 64, 48, 3), np.float32), r"got float32 \[8, 64, 48, 3\]"),
        (torch.zeros(64, 48, 3, dtype=torch.uint8), r"got uint8 \[64, 48, 3\]"),
        (np.zeros((0, 64, 48, 3), np.uint8), r"the clip is too small.*got \[0, 64, 48, 3\]"),
        (np.zeros((8, 64, 15, 3), np.uint8), r"16 x 16 pixels or more, got \[8, 64, 15, 3\]"),
    ],
    ids=["channels first", "floats", "one frame", "empty", "narrow"],
)
def test_extractor_what_is_no_clip_is_refused(clip: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        group_of_pictures(clip)


def test_extractor_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="unknown motion method; expected one of: .*got 'h264-pair'. Did you mean 'h264-pairs'?"):
        Extractor("h264-pair")  # type: ignore[arg-type]
