from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reproid.clips.clip import Clip
from reproid.clips.images import read_frames
from reproid.clips.sampling import covering_clips
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import load_index
from reproid.errors import InputError
from reproid.files import read_json, write_json
from reproid.inference.embed import EmbedJob, embed, load_model, read_run
from reproid.models.checkpoint import load_tensors, save_tensors
from reproid.training.run import TrainJob, train_run
from support.tracklets import HEIGHT, WIDTH, Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture(scope="module")
def trained(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    run = small_run(epochs=1)
    train_run(TrainJob(run=run, index=places.index, data=places.data, out=folder / "run", state=folder / "state", workers=0))
    return folder / "run"


@pytest.fixture
def job(places: Places, trained: Path, tmp_path: Path) -> EmbedJob:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "model.safetensors"):
        (folder / name).write_bytes((trained / name).read_bytes())
    return EmbedJob(run=folder, index=places.index, data=places.data, out=tmp_path / "dense.npz", workers=0)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_embed_writes_the_arrays_of_the_interface(job: EmbedJob) -> None:
    embed(job)
    arrays = _arrays(job.out)
    index = load_index(job.index)
    gallery, queries = index.tracklets("gallery"), index.tracklets("query")
    n = len(gallery)  # here all queries are gallery too, as in MARS
    assert {name: (array.dtype.kind, array.shape) for name, array in arrays.items()} == {
        "embeddings": ("f", (n, 32)),
        "tracklet_ids": ("U", (n,)),
        "pids": ("i", (n,)),
        "camids": ("i", (n,)),
        "n_frames": ("i", (n,)),
        "is_query": ("b", (n,)),
        "is_gallery": ("b", (n,)),
        "sampling": ("U", ()),
        "pooling": ("U", ()),
        "frames_per_clip": ("i", ()),
        "run_id": ("U", ()),
    }
    assert str(arrays["run_id"]) == read_run(job.run).run_id
    assert arrays["embeddings"].dtype == np.float32
    assert arrays["tracklet_ids"].tolist() == [tracklet.tracklet_id for tracklet in gallery]
    assert arrays["pids"].tolist() == [tracklet.pid for tracklet in gallery]
    assert arrays["camids"].tolist() == [tracklet.camid for tracklet in gallery]
    assert arrays["n_frames"].tolist() == [len(tracklet.frames) for tracklet in gallery]
    assert arrays["tracklet_ids"][arrays["is_query"]].tolist() == [tracklet.tracklet_id for tracklet in queries]
    assert arrays["is_gallery"].all()
    assert (str(arrays["sampling"]), str(arrays["pooling"]), int(arrays["frames_per_clip"])) == ("dense", "mean", 2)


def test_embed_equals_one_clip_at_a_time_averaged(job: EmbedJob) -> None:
    embed(job)
    found = _arrays(job.out)["embeddings"]
    run = read_run(job.run)
    model = load_model(run, job.run / "model.safetensors")
    for row, tracklet in enumerate(load_index(job.index).tracklets("gallery")):
        values = []
        for positions, n_real in covering_clips(len(tracklet.frames), 2, sampling="dense"):
            names = [tracklet.frames[position] for position in positions]
            frames = read_frames(DataFolder(job.data), names, declared={}, height=HEIGHT, width=WIDTH)[None]
            with torch.inference_mode():
                one = torch.tensor([0])
                clip = Clip(frames=frames, pid=one, camid=one, n_real=torch.tensor([n_real]), tracklet_id=("x",))
                values.append(model(clip).embedding[0].double().numpy())
        assert np.allclose(found[row], np.mean(values, axis=0), atol=1e-5)


def test_embed_again_gives_the_same_bytes_whatever_the_workers(job: EmbedJob, tmp_path: Path) -> None:
    embed(job)
    again = replace(job, out=tmp_path / "again.npz", workers=2)
    embed(again)
    assert again.out.read_bytes() == job.out.read_bytes()


def test_embed_queries_outside_the_gallery_follow_it(job: EmbedJob, places: Places, tmp_path: Path) -> None:
    from reproid.datasets.index import write_index

    index = load_index(places.index)
    kept = tuple(a for a in index.assignments if a.role != "gallery" or not a.tracklet_id.endswith("t0"))
    write_index(replace(index, assignments=kept), tmp_path / "index")
    embed(replace(job, index=tmp_path / "index"))
    arrays = _arrays(job.out)
    assert not (arrays["is_query"] & arrays["is_gallery"]).any()
    assert arrays["is_query"].tolist() == sorted(arrays["is_query"].tolist())


def _rename(job: EmbedJob, **changes: Any) -> None:
    tensors, about = load_tensors(job.run / "model.safetensors")
    save_tensors(job.run / "model.safetensors", tensors, about | changes)


def _drop_tensor(job: EmbedJob) -> None:
    tensors, about = load_tensors(job.run / "model.safetensors")
    del tensors["neck.classifier.weight"]
    save_tensors(job.run / "model.safetensors", tensors, about)


def _cut(job: EmbedJob) -> None:
    path = job.run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda job: (job.run / "model.safetensors").unlink(), r"model\.safetensors: checkpoint not found"),
        (_cut, r"model\.safetensors: damaged checkpoint; expected a safetensors file, got 1000 bytes"),
        (lambda job: torch.save({}, job.run / "model.safetensors"), r"model\.safetensors: a pickle is offered as a checkpoint"),
        (
            lambda job: _rename(job, method="vit"),
            r"checkpoint of another method; expected resnet50, got vit\. Train the run again",
        ),
        (lambda job: _rename(job, revision=2), r"checkpoint of another revision; expected 1, got 2\."),
        (lambda job: _rename(job, run_id="x"), r"checkpoint of another run_id; expected [0-9a-f]{12}, got x\."),
        (_drop_tensor, r"the checkpoint lacks tensor 'neck\.classifier\.weight'"),
        (lambda job: (job.run / "run.json").unlink(), r"run\.json: file not found"),
        (lambda job: (job.run / "run.json").write_text("{"), r"run\.json: not a JSON file"),
        (lambda job: write_json(job.run / "run.json", read_json(job.run / "run.json") | {"sead": 1}), r"Did you mean 'seed'\?"),
    ],
    ids=["no-model", "cut", "pickle", "method", "revision", "run", "tensor", "no-run", "no-json", "unknown-key"],
)
def test_embed_bad_run_is_named_and_nothing_is_written(job: EmbedJob, spoil: Any, message: str) -> None:
    spoil(job)
    with pytest.raises(InputError, match=message):
        embed(job)
    assert not job.out.exists()


def test_embed_without_test_part_says_so(job: EmbedJob, places: Places, tmp_path: Path) -> None:
    from reproid.datasets.index import write_index

    index = load_index(places.index)
    write_index(replace(index, assignments=tuple(a for a in index.assignments if a.role == "train")), tmp_path / "index")
    with pytest.raises(InputError, match=r"no tracklet to describe; expected queries and gallery of split 'official', got none"):
        embed(replace(job, index=tmp_path / "index"))


def test_embed_broken_image_keeps_its_one_line(job: EmbedJob, tmp_path: Path) -> None:
    places = write_tracklets(tmp_path / "other")
    (places.data / "p6" / "p6c0t0f0.png").unlink()
    with pytest.raises(InputError, match=r"p6c0t0f0\.png: image not found\. Restore the file from its archive\.$"):
        embed(replace(job, index=places.index, data=places.data, workers=2))
    assert not job.out.exists()
