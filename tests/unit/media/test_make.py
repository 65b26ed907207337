import io
import tarfile
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from reproid.catalog.media import make_media as plan_of
from reproid.catalog.media import plan_media
from reproid.catalog.runs import Run
from reproid.clips.datasets import TestClips
from reproid.clips.stored_motion import StoredMotion
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Tracklet, load_index
from reproid.errors import InputError
from reproid.files import read_json, write_json
from reproid.gop import METHODS
from reproid.inference.embed import EmbedJob, embed
from reproid.media.make import MediaJob, make_media
from reproid.training.digests import data_sha256
from reproid.training.run import TrainJob, train_run
from support.moving import moving_run, register
from support.tracklets import Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture(scope="module")
def run() -> Run:
    return moving_run()


@pytest.fixture(scope="module")
def made(places: Places, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_media(_job(places, run, folder))
    return folder


def _job(places: Places, run: Run, out: Path, workers: int = 1) -> MediaJob:
    plan = plan_media(run)
    assert plan is not None
    return MediaJob(plan=plan, index=places.index, data=places.data, out=out, workers=workers)


def _stored(places: Places, run: Run, folder: Path) -> StoredMotion:
    return StoredMotion(folder, _job(places, run, folder).plan, data_sha256=data_sha256(places.index))


def _clips(places: Places, run: Run, stored: StoredMotion | None = None) -> TestClips:
    index, settings = load_index(places.index), run.settings
    tracklets = index.tracklets("gallery")
    return TestClips(tracklets, data=places.data, clips=settings.clips, embed=settings.embed, gop=settings.gop, stored=stored)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_stored_motion_is_that_found_in_place(places: Places, run: Run, made: Path) -> None:
    found, read = _clips(places, run), _clips(places, run, _stored(places, run, made))
    assert len(found) > 8
    for item in range(len(found)):
        one, two = found[item], read[item]
        for name in ("frames", "motion", "valid"):
            assert torch.equal(getattr(one, name), getattr(two, name)), name


@pytest.mark.parametrize("workers", [0, 2])
def test_embed_with_media_gives_the_same_bytes(
    places: Places, run: Run, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    register(monkeypatch)
    train_run(TrainJob(run=run, index=places.index, data=places.data, out=tmp_path, state=tmp_path / "state", workers=0))
    written = []
    for media in (None, made):
        out = tmp_path / f"{media is None}.npz"
        embed(EmbedJob(run=tmp_path, index=places.index, data=places.data, media=media, out=out, workers=workers))
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_files_do_not_depend_on_workers_or_on_what_was_there(places: Places, run: Run, made: Path, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "00007.tar").write_bytes(b"old")
    make_media(_job(places, run, tmp_path, workers=2))
    assert _files(tmp_path) == _files(made)


def test_streams_are_one_group_of_pictures_each_and_show_the_clip(places: Places, run: Run, made: Path) -> None:
    clips, folder = _clips(places, run), DataFolder(made)
    for item in (0, len(clips) - 1):
        tracklet, number, positions = clips.place(item)
        with av.open(io.BytesIO(folder.read(f"{tracklet.tracklet_id}/{number:04d}.mp4"))) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            frames = list(container.decode(video=0))
        assert len(frames) == len(positions)
        assert [frame.key_frame for frame in frames] == [True] + [False] * (len(frames) - 1)
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in frames]).astype(float)
        shown = clips[item].frames.permute(0, 2, 3, 1).numpy()
        assert np.abs(pictures.mean((1, 2)) - shown.mean((1, 2))).max() < 12


def test_shards_are_plain_tar_files_with_every_clip(places: Places, run: Run, made: Path) -> None:
    with tarfile.open(made / "shards" / "00000.tar") as file:
        names = file.getnames()
    table = pq.read_table(made / "clips.parquet").to_pylist()
    assert names == [f"{row['tracklet_id']}/{row['clip']:04d}.mp4" for row in table]
    assert len(names) == len(_clips(places, run)) == read_json(made / "media.json")["counts"]["clips"]


def test_statistics_are_those_of_the_clips(places: Places, run: Run, made: Path) -> None:
    clips, table = _clips(places, run), pq.read_table(made / "clips.parquet").to_pylist()
    total, count = 0.0, 0
    for item, row in enumerate(table):
        sample = clips[item]
        assert sample.motion is not None
        assert sample.valid is not None
        real = sample.n_real - 1
        assert row["p_frames"] == real
        from reproid.gop.warp import warp

        left = sample.frames[1:].double() - warp(sample.frames[0], sample.motion).double()
        energy = left[:real].square().mean().item() if real else 0.0
        assert row["energy"] == pytest.approx(energy)
        assert row["intra"] == pytest.approx(1 - sample.valid[:real].double().mean().item() if real else 0)
        total, count = total + energy * real, count + real
    about = read_json(made / "media.json")
    assert about["quality"]["psnr_db"] == pytest.approx(10 * np.log10(255**2 / (total / count)), abs=1e-3)
    assert list(about["methods"]) == list(METHODS)
    assert about["methods"]["h264-pairs"]["psnr_db"] == pytest.approx(about["quality"]["psnr_db"], abs=1)
    assert all(0 <= quality["intra"] <= 1 for quality in about["methods"].values())


def test_examples_hold_pictures_vectors_and_energy(made: Path) -> None:
    examples = read_json(made / "examples.json")
    assert examples
    for example in examples:
        blocks = (example["height"] // 16) * (example["width"] // 16)
        assert len(example["p_frames"]) == len(example["positions"]) - 1 >= 1
        for frame in example["p_frames"]:
            assert len(frame["motion"]) == len(frame["valid"]) == blocks
            assert frame["energy"] >= 0


def test_media_id_is_shared_by_runs_that_differ_in_training_alone(run: Run) -> None:
    plan = plan_media(run)
    assert plan is not None
    assert plan_media(moving_run(erasing="keep")) == plan
    assert plan_media(run.model_copy(update={"seed": 5, "split": "3"})) == plan
    assert plan_media(small_run()) is None
    other = plan_media(moving_run(method="h264-chain"))
    assert other is not None
    assert other.media_id != plan.media_id
    embed_ = run.settings.embed
    assert run.settings.gop is not None
    for height, longer in ((128, embed_), (64, embed_.model_copy(update={"max_clips": 2}))):
        made = plan_of(run.dataset, run.data, height=height, width=32, embed=longer, gop=run.settings.gop)
        assert made.media_id != plan.media_id


def test_stored_motion_of_another_plan_is_refused(places: Places, made: Path) -> None:
    with pytest.raises(InputError, match=r"media\.json: motion of other clips; expected media [0-9a-f]{12}, got [0-9a-f]{12}"):
        _stored(places, moving_run(method="h264-chain"), made)


def test_stored_motion_of_other_data_is_refused(places: Places, run: Run, made: Path) -> None:
    with pytest.raises(InputError, match=r"media\.json: motion of other data: the index has changed"):
        StoredMotion(made, _job(places, run, made).plan, data_sha256="0" * 64)


def test_stored_motion_of_other_frames_is_refused(places: Places, run: Run, made: Path) -> None:
    stored = _stored(places, run, made)
    first: Tracklet = load_index(places.index).tracklets("gallery")[0]
    with pytest.raises(
        InputError, match=rf"motion of other frames for clip 0 of tracklet {first.tracklet_id}; expected \[7, 8, 9\]"
    ):
        stored.read(first.tracklet_id, 0, [7, 8, 9])
    with pytest.raises(InputError, match="no motion of clip 99 of tracklet"):
        stored.read(first.tracklet_id, 99, [0, 1, 2])


@pytest.mark.parametrize("content", [b"", b"PAR1 is not enough PAR1"])
def test_stored_motion_damaged_file_is_an_input_error(
    places: Places, run: Run, made: Path, tmp_path: Path, content: bytes
) -> None:
    write_json(tmp_path / "media.json", read_json(made / "media.json"))
    (tmp_path / "clips.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"clips\.parquet: not a Parquet file, or damaged\. Make it again"):
        _stored(places, run, tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_broken_image_is_named_and_nothing_says_complete(tmp_path: Path, run: Run, workers: int) -> None:
    places = write_tracklets(tmp_path / "tracklets")
    places.frames[-1].write_bytes(places.frames[-1].read_bytes()[:200])
    out = tmp_path / "media"
    with pytest.raises(InputError, match=r"p6/p6c1t3f\d\.png: image is cut off"):
        make_media(_job(places, run, out, workers))
    assert not (out / "media.json").exists()
    assert not (out / "shards" / "index.arrow").exists()
