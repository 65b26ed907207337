"""What a method that requires groups of pictures gets, from the settings to its forward pass, in training and at test time."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from reproid.catalog.runs import Run
from reproid.catalog.settings import Clips, Embed, Gop, Settings
from reproid.clips.augment import augment
from reproid.clips.clip import Clip
from reproid.clips.datasets import Draw, TestClips, TrainingClips
from reproid.clips.loader import load_batches
from reproid.clips.motion import MotionOfClips
from reproid.datasets.index import load_index
from reproid.gop import METHODS, group_of_pictures
from reproid.gop.mirror import mirrored
from reproid.gop.result import nearest_patch
from reproid.gop.warp import residual, warp
from reproid.inference.embed import EmbedJob, embed
from reproid.training.run import TrainJob, train_run
from support.moving import moving_run, register
from support.moving_blocks import texture
from support.tracklets import Places, small_run, write_tracklets

BATCHES = [[Draw(0, 3 * step + slot, 3 * step + slot) for slot in range(3)] for step in range(4)]
CLIPS = Clips(frames=3, height=64, width=32, pad=2)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def _training(places: Places, **gop: str) -> TrainingClips:
    tracklets = load_index(places.index).tracklets("train")
    return TrainingClips(tracklets=tracklets, data=places.data, settings=CLIPS, seed=0, gop=Gop.model_validate(gop))


def _ready(clips: TrainingClips, workers: int = 0) -> list[Clip]:
    return [clip.ready("cpu") for clip in load_batches(clips, BATCHES, workers=workers)]


def _sliding(frames: int, height: int, width: int) -> torch.Tensor:
    """A window that slides over a picture, 3 pixels a frame."""
    wide = texture(np.random.default_rng(0), height, width + 3 * frames)
    windows = np.stack([wide[:, 3 * t : 3 * t + width] for t in range(frames)])
    return torch.from_numpy(np.repeat(windows[:, None], 3, axis=1))


def _fields(clip: Clip) -> dict[str, torch.Tensor]:
    found = {name: getattr(clip, name) for name in ("frames", "erased", "motion", "valid", "index", "residual")}
    assert all(value is not None for value in found.values())
    return found


def _equal(one: Clip, two: Clip) -> bool:
    first, second = _fields(one), _fields(two)
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("method", ["h264-pairs", "h264-bstar", "h264-chain"])
def test_training_clips_any_number_of_workers_and_any_order_gives_the_same_motion(places: Places, method: str) -> None:
    alone, helped = (_ready(_training(places, method=method), workers) for workers in (0, 2))
    assert all(_equal(one, two) for one, two in zip(alone, helped, strict=True))
    backwards = [clip.ready("cpu") for clip in load_batches(_training(places, method=method), BATCHES[::-1], workers=0)]
    assert all(_equal(one, two) for one, two in zip(alone, backwards[::-1], strict=True))


@pytest.mark.parametrize("erasing", ["recompute", "keep", "encode"])
def test_frames_are_those_of_a_method_without_motion(places: Places, erasing: str) -> None:
    tracklets = load_index(places.index).tracklets("train")
    plain = TrainingClips(tracklets=tracklets, data=places.data, settings=CLIPS, seed=0)
    for one, two in zip(load_batches(plain, BATCHES, workers=0), _ready(_training(places, erasing=erasing)), strict=True):
        assert torch.equal(one.frames, two.frames)
        assert one.motion is None
        assert one.ready("cpu").residual is None


def test_erasing_recompute_restores_the_frames_that_the_model_sees(places: Places) -> None:
    for clip in _ready(_training(places, erasing="recompute")):
        assert clip.motion is not None
        assert clip.residual is not None
        restored = warp(clip.frames[:, 0], clip.motion).float() + clip.residual
        assert torch.equal(restored, clip.frames[:, 1:].float())


def test_erasing_settings_say_what_motion_and_residual_are_of() -> None:
    frames = _sliding(4, 128, 64)
    always, never = (Clips(frames=4, height=128, width=64, flip=0, erasing=chance) for chance in (1, 0))
    found = {}
    for erasing in ("recompute", "keep", "encode"):
        finder = MotionOfClips(Gop.model_validate({"erasing": erasing}))
        found[erasing] = finder.augment(frames, always, np.random.default_rng(1))
    whole = MotionOfClips(Gop()).augment(frames, never, np.random.default_rng(1))[2]
    seen, erased, kept = found["keep"]
    assert erased.all()
    assert kept.residual is not None
    assert torch.equal(found["recompute"][2].motion, whole.motion)
    assert torch.equal(kept.motion, whole.motion)
    assert torch.equal(warp(frames[0], kept.motion).float() + kept.residual, frames[1:].float())
    assert not torch.equal(seen, frames)
    encoded = group_of_pictures(seen.permute(0, 2, 3, 1))
    assert torch.equal(found["encode"][2].motion, encoded.motion)
    assert not torch.equal(encoded.motion, whole.motion)


@pytest.mark.parametrize("method", ["h264-pairs", "h264-chain"])
def test_a_flip_acts_on_motion_exactly(method: str) -> None:
    frames = _sliding(5, 64, 48)
    find = MotionOfClips(Gop.model_validate({"method": method}))
    settings = Clips(frames=5, height=64, width=48, erasing=0, pad=3)
    plain, flipped = (
        find.augment(frames, settings.model_copy(update={"flip": chance}), np.random.default_rng(4)) for chance in (0, 1)
    )
    motion, valid = mirrored(flipped[2].motion, flipped[2].valid)
    assert torch.equal(group_of_pictures(flipped[0].flip(-1).permute(0, 2, 3, 1), method=find.settings.method).motion, motion)  # type: ignore[arg-type]
    assert torch.equal(augment(frames, settings.model_copy(update={"flip": 1}), np.random.default_rng(4))[0], flipped[0])
    assert not torch.equal(plain[0], flipped[0])
    assert torch.equal(mirrored(motion, valid)[0], flipped[2].motion)
    assert torch.equal(mirrored(motion, valid)[1], flipped[2].valid)
    # the warp, and what it leaves over, of the mirrored clip are the mirrored ones, byte for byte
    unflipped = flipped[0].flip(-1)
    prediction = warp(unflipped[0], motion)
    assert torch.equal(warp(flipped[0][0], flipped[2].motion), prediction.flip(-1))
    assert torch.equal(residual(flipped[0], prediction.flip(-1)), residual(unflipped, prediction).flip(-1))


def test_mirrored_any_quarter_vector_warps_to_the_mirror_image() -> None:
    generator = torch.Generator().manual_seed(0)
    frame = torch.randint(0, 256, (3, 64, 48), dtype=torch.uint8, generator=generator)
    motion = torch.randint(-260, 261, (40, 2, 4, 3), generator=generator) / 4
    turned, _ = mirrored(motion, torch.ones(40, 4, 3, dtype=torch.bool))
    assert torch.equal(warp(frame.flip(-1), turned), warp(frame, motion).flip(-1))
    whole = motion.round() * 16  # whole patches: the index is mirrored too
    index, mirror = nearest_patch(whole), nearest_patch(mirrored(whole, motion[:, 0] > 0)[0])
    assert torch.equal(mirror // 3, index.flip(-1) // 3)
    assert torch.equal(mirror % 3, 2 - index.flip(-1) % 3)


def test_test_clips_bring_the_motion_of_their_frames(places: Places) -> None:
    tracklets = load_index(places.index).tracklets("gallery")
    clips = TestClips(tracklets, data=places.data, clips=CLIPS, embed=Embed(frames=3), gop=Gop(method="h264-bstar"))
    for item in (0, len(clips) - 1):
        sample = clips[item]
        expected = group_of_pictures(sample.frames.permute(0, 2, 3, 1), method="h264-bstar")
        assert sample.motion is not None
        assert sample.valid is not None
        assert torch.equal(sample.motion, expected.motion)
        assert torch.equal(sample.valid, expected.valid)


def test_ready_leaves_what_the_batch_brings(places: Places) -> None:
    clip = next(load_batches(_training(places), BATCHES, workers=0))
    assert clip.motion is not None
    own = replace(clip, index=torch.zeros_like(clip.motion[:, :, 0]).long(), residual=torch.ones(3, 2, 3, 64, 32))
    ready = own.ready("cpu")
    assert ready.index is own.index
    assert ready.residual is own.residual


def test_a_method_that_requires_motion_trains_and_embeds(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)
    found = []
    for number, workers in enumerate((0, 2)):
        folder = tmp_path / str(number)
        run = moving_run()
        train_run(
            TrainJob(run=run, index=places.index, data=places.data, out=folder, state=tmp_path / f"s{number}", workers=workers)
        )
        out = folder / "dense.npz"
        embed(EmbedJob(run=folder, index=places.index, data=places.data, out=out, workers=workers))
        found.append((folder / "model.safetensors").read_bytes() + out.read_bytes())
    assert found[0] == found[1]


def test_run_id_depends_on_the_group_of_pictures_of_methods_that_require_one_alone() -> None:
    assert "gop" not in small_run().settings.model_dump(mode="json")
    assert "gop" not in small_run().model_dump_json()
    ids = {moving_run(**gop).run_id for gop in ({}, {"method": "h264-chain"}, {"erasing": "keep"})}
    assert len(ids) == 3
    assert moving_run(method="h264-pairs").run_id == moving_run().run_id
    assert Run.model_validate_json(moving_run().model_dump_json()) == moving_run()


def test_run_ids_planned_before_settings_knew_of_groups_of_pictures_stand() -> None:
    assert small_run().run_id == "36bbe28210c0"


def test_settings_clip_of_odd_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"multiples of 16 for a method with a group of pictures, not 100 x 32"):
        Settings.model_validate({"method": "moving", "clips": {"height": 100, "width": 32}, "gop": {}})
    Settings.model_validate({"method": "resnet50", "clips": {"height": 100, "width": 30}})


def test_settings_name_every_motion_method() -> None:
    declared = get_args(Gop.model_fields["method"].annotation)
    assert declared == METHODS
