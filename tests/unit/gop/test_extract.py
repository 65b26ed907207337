import pickle
import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from reproid.errors import InputError
from reproid.gop import METHODS, Extractor, GroupOfPictures, Method, _codec, group_of_pictures
from reproid.gop.result import nearest_patch
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


def test_extractor_same_vectors_with_and_without_assembler(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = [moving_blocks(seed, size=(128, 64), noise=2).frames for seed in range(3)] + [clip_of("noise")]
    for method in CODECS:
        fast = [Extractor(method)(clip).motion for clip in clips]
        monkeypatch.setitem(_codec.X264, "asm", "0")
        plain = Extractor(method)
        assert all(torch.equal(plain(clip).motion, motion) for clip, motion in zip(clips, fast, strict=True))
        monkeypatch.delitem(_codec.X264, "asm")


@dataclass(frozen=True)
class Encoded:
    """A data set of motion, as loader workers make it."""

    extractor: Extractor

    def __len__(self) -> int:
        return 6

    def __getitem__(self, k: int) -> torch.Tensor:
        return self.extractor(moving_blocks(k, size=(64, 48), noise=2).frames).motion


@pytest.mark.parametrize("method", METHODS)
def test_extractor_same_vectors_in_any_number_of_workers(method: Method) -> None:
    """Forked when its codec is open already: the workers must open their own."""
    encoded = Encoded(Extractor(method))
    alone = [encoded[k] for k in range(6)]
    for workers in (1, 2):
        loaded = list(DataLoader(encoded, batch_size=None, num_workers=workers, multiprocessing_context="fork"))
        assert all(torch.equal(one, other) for one, other in zip(loaded, alone, strict=True))
    assert torch.equal(encoded[0], alone[0])


def test_extractor_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_codec, "ENCODER", "libx265_of_nobody")
    with pytest.raises(InputError, match="this PyAV has no H.264 encoder; expected libx264.*or take --method block-matching"):
        Extractor("h264-pairs")(clip_of("flat"))


def test_extractor_takes_any_layout_of_memory() -> None:
    clip = torch.from_numpy(clip_of("moving"))
    expected = group_of_pictures(clip)
    channels_first = clip.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    mirrored_twice = torch.from_numpy(clip.numpy()[:, :, ::-1].copy()).flip(2)
    for same in (channels_first, mirrored_twice, clip.numpy()[:, :, ::-1].copy()[:, :, ::-1]):
        assert torch.equal(group_of_pictures(same).motion, expected.motion)


def test_extractor_finds_vectors_that_leave_the_frame() -> None:
    """A picture moves by 6 pixels; what was the frame's edge comes from outside, where the edge goes on."""
    wide = moving_blocks(2, frames=1, size=(96, 96)).frames[0]
    i_frame = wide[16:80, 16:80]
    padded = np.pad(i_frame, ((6, 6), (6, 6), (0, 0)), mode="edge")
    clip = np.stack([i_frame, padded[0:64, 12:76]])
    for method in METHODS:
        found = group_of_pictures(clip, method=method)
        if method != "grid":
            assert (found.motion == torch.tensor([6.0, -6.0])[:, None, None]).all(dim=1).float().mean() >= 0.9, method
            leaving = found.index[0, 0], found.index[0, :, 3]
            assert all(((one >= 0) & (one < 16)).all() for one in leaving)


def test_nearest_patch_takes_the_one_that_is_overlapped_most() -> None:
    motion = torch.zeros(1, 2, 2, 3)
    motion[0, :, 0, 0] = torch.tensor([7.75, 0.0])
    motion[0, :, 0, 1] = torch.tensor([8.25, 9.0])
    motion[0, :, 0, 2] = torch.tensor([30.0, -30.0])
    motion[0, :, 1, 0] = torch.tensor([-12.0, 3.0])
    assert nearest_patch(motion).tolist() == [[[0, 5, 2], [3, 4, 5]]]


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
