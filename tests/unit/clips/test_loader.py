import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from reproid.catalog.settings import Clips, Embed
from reproid.clips.clip import Clip, Sample
from reproid.clips.datasets import Draw, TestClips, TrainingClips
from reproid.clips.loader import load_batches
from reproid.datasets.index import load_index
from reproid.errors import InputError
from support.tracklets import Places, write_tracklets

CLIPS = Clips(frames=4, height=32, width=16)
BATCHES = [[Draw(epoch, step * 3 + slot, (5 * step + slot) % 16) for slot in range(3)] for epoch in range(2) for step in range(3)]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def _training(places: Places, seed: int = 0) -> TrainingClips:
    tracklets = load_index(places.index).tracklets("train")
    return TrainingClips(tracklets=tracklets, data=places.data, settings=CLIPS, seed=seed)


def _equal(one: Clip, two: Clip) -> bool:
    assert one.erased is not None
    assert two.erased is not None
    return torch.equal(one.frames, two.frames) and torch.equal(one.erased, two.erased) and one.tracklet_id == two.tracklet_id


def test_load_batches_any_number_of_workers_gives_the_same_clips(places: Places) -> None:
    alone, helped = (list(load_batches(_training(places), BATCHES, workers=workers)) for workers in (0, 2))
    assert len(alone) == len(BATCHES)
    assert all(_equal(one, two) for one, two in zip(alone, helped, strict=True))


def test_load_batches_started_late_continues_with_the_same_clips(places: Places) -> None:
    whole, rest = (list(load_batches(_training(places), batches, workers=0)) for batches in (BATCHES, BATCHES[4:]))
    assert all(_equal(one, two) for one, two in zip(whole[4:], rest, strict=True))


def test_training_clips_differ_by_epoch_position_and_seed(places: Places) -> None:
    clips = _training(places)
    base = clips[Draw(0, 0, 3)].frames
    others = [clips[Draw(1, 0, 3)], clips[Draw(0, 1, 3)], _training(places, seed=1)[Draw(0, 0, 3)]]
    assert not any(torch.equal(base, other.frames) for other in others)


def test_load_batches_leaves_the_global_generator_alone(places: Places) -> None:
    before = torch.get_rng_state()
    list(load_batches(_training(places), BATCHES[:1], workers=0))
    assert torch.equal(torch.get_rng_state(), before)


def test_clip_fields_are_those_of_the_tracklets(places: Places) -> None:
    clips = _training(places)
    clip = next(load_batches(clips, BATCHES, workers=0))
    chosen = [clips.tracklets[draw.tracklet] for draw in BATCHES[0]]
    assert clip.frames.shape == (3, 4, 3, 32, 16)
    assert clip.pid.tolist() == [tracklet.pid for tracklet in chosen]
    assert clip.camid.tolist() == [tracklet.camid for tracklet in chosen]
    assert clip.n_real.tolist() == [min(4, len(tracklet.frames)) for tracklet in chosen]
    assert clip.tracklet_id == tuple(tracklet.tracklet_id for tracklet in chosen)
    assert len(clip) == 3


def test_clip_to_moves_every_tensor(places: Places) -> None:
    clip = next(load_batches(_training(places), BATCHES, workers=0))
    moved = replace(clip, motion=torch.zeros(3, 3, 2, 2, 1)).to("meta")
    assert moved.motion is not None
    assert {moved.frames.device.type, moved.pid.device.type, moved.motion.device.type} == {"meta"}
    assert moved.residual is None
    assert moved.tracklet_id == clip.tracklet_id


def test_test_clips_cover_all_tracklets_in_order_unaugmented(places: Places) -> None:
    tracklets = load_index(places.index).tracklets("gallery")
    clips = TestClips(tracklets, data=places.data, clips=CLIPS, embed=Embed(frames=2))
    assert clips.owners == sorted(clips.owners)
    assert [clips.owners.count(owner) for owner in range(len(tracklets))] == [-(-len(t.frames) // 2) for t in tracklets]
    assert torch.equal(clips[0].frames, clips[0].frames)
    assert not clips[0].erased.any()


@pytest.mark.parametrize("workers", [0, 2])
def test_load_batches_broken_image_keeps_its_one_line(tmp_path: Path, workers: int) -> None:
    places = write_tracklets(tmp_path)
    for path in places.frames:
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"\.png: not an image; expected a JPEG or PNG file, got an empty file") as raised:
        list(load_batches(_training(places), BATCHES, workers=workers))
    assert "Traceback" not in str(raised.value)
    assert "\n" not in str(raised.value)


class _Deadly:
    """Kills the process that asks it for a clip."""

    def __getitem__(self, key: object) -> Sample:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError(key)


def test_load_batches_lost_worker_is_explained() -> None:
    message = r"a process that decodes images was lost; got DataLoader worker .*(killed|exited).*\. Give the job more memory, or"
    with pytest.raises(InputError, match=message):
        list(load_batches(_Deadly(), [[0]], workers=1))


class _Odd:
    def __getitem__(self, key: object) -> Sample:
        raise RuntimeError("our own mistake")


def test_load_batches_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="our own mistake"):
        list(load_batches(_Odd(), [[0]], workers=0))


class _Patient:
    """Tells its process, and takes its time."""

    def __getitem__(self, key: object) -> Sample:
        if key:
            time.sleep(60)
        return Sample(frames=torch.zeros(1), erased=torch.zeros(1), pid=os.getpid(), camid=0, n_real=1, tracklet_id="x")


def _ends(pid: int, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not Path(f"/proc/{pid}").exists() or "(zombie)" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks /proc for processes")
def test_workers_survive_signals_of_others_and_obey_their_parent() -> None:
    batches = load_batches(_Patient(), [[0], [1]], workers=1)
    worker = int(next(batches).pid)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        subprocess.run(["kill", f"-{number.value}", str(worker)], check=True)
    assert not _ends(worker, within_s=0.3)
    os.kill(worker, signal.SIGTERM)
    assert _ends(worker, within_s=5)
    batches.close()
