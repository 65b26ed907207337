"""What `reproid embed` writes to be drawn: means over all clips, cost at these means, some clips with maps, a t-SNE."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reproid.catalog.runs import Run
from reproid.clips.datasets import TestClips
from reproid.datasets.index import load_index
from reproid.inference.embed import EmbedJob, embed, load_model
from reproid.inference.figures import MOST_PERSONS, some_persons
from reproid.models.macs import ClipSize, formula_of
from reproid.training.run import TrainJob, train_run
from support.psformer_run import psformer_run
from support.tracklets import Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def _described(places: Places, folder: Path, run: Run) -> tuple[EmbedJob, dict[str, Any]]:
    out = folder / run.run_id
    train_run(TrainJob(run=run, index=places.index, data=places.data, out=out, state=folder / "state", workers=0))
    job = EmbedJob(
        run=out, index=places.index, data=places.data, out=folder / "dense.npz", figures=folder / "dense.json", workers=0
    )
    embed(job)
    return job, json.loads((folder / "dense.json").read_text())


@pytest.mark.parametrize("whole", [True, False], ids=["whole I-frame", "scored I-frame"])
def test_psformer_leaves_its_shares_masks_and_eigenvectors(places: Places, tmp_path: Path, whole: bool) -> None:
    run = psformer_run(first_stage=0.0, whole_i_frame=whole)
    job, found = _described(places, tmp_path, run)
    assert found["run_id"] == run.run_id
    index = load_index(places.index)
    tracklets = index.tracklets("gallery")
    embedding = run.settings.embed
    clips = TestClips(tracklets, data=places.data, clips=run.settings.clips, embed=embedding, gop=run.settings.gop)
    assert found["clips"] == len(clips)
    # the means, clip by clip
    model = load_model(run, job.run / "model.safetensors")
    from reproid.clips.clip import collate

    outputs = [model(collate([clips[item]]).ready("cpu")) for item in range(len(clips))]
    for name, mean in found["means"].items():
        assert mean == pytest.approx(np.mean([float(output.metrics[name]) for output in outputs]), abs=1e-5), name
    assert set(found["means"]) == {f"kept_frame_{t}" for t in range(whole, 3)} | {"open_block_1", "open_block_2"}
    kept = np.mean([found["means"][f"kept_frame_{t}"] for t in (1, 2)])
    gate = np.mean([found["means"][f"open_block_{at}"] for at in (1, 2)])
    stated = {"stated_kept": float(kept), "stated_gate": float(gate)}
    stated |= {} if whole else {"stated_kept_i": found["means"]["kept_frame_0"]}
    size = ClipSize(frames=3, height=run.settings.clips.height, width=run.settings.clips.width)
    macs = formula_of("psformer", run.settings.options | stated, size).total
    assert found["gmacs"] == pytest.approx(macs / 1e9, abs=1e-6)
    # an example is its clip
    assert 1 <= len(found["examples"]) <= 4
    numbers = {(tracklet.tracklet_id, number): item for item in range(len(clips)) for tracklet, number, _ in [clips.place(item)]}
    for example in found["examples"]:
        item = numbers[example["tracklet_id"], example["clip"]]
        real = clips[item].n_real
        assert len(example["frames"]) == len(example["positions"]) == real
        picture = Image.open(io.BytesIO(base64.b64decode(example["frames"][0])))
        assert picture.size == (example["width"], example["height"])
        maps = example["maps"]
        assert {name: value["kind"] for name, value in maps.items()} == {"selected": "mask", "eigenvector": "heat"}
        for name, value in maps.items():
            expected = outputs[item].maps[name][0, :real].flatten(1).float().numpy()
            assert np.allclose(np.array(value["values"]), expected, atol=1e-2), name
        assert not whole or all(maps["selected"]["values"][0])


def test_run_of_a_method_without_decisions_leaves_its_points_alone(places: Places, tmp_path: Path) -> None:
    _, found = _described(places, tmp_path, small_run(epochs=0))
    assert (found["means"], found["examples"]) == ({}, [])
    assert found["gmacs"] is not None
    index = load_index(places.index)
    searched = {tracklet.pid for tracklet in index.tracklets("query")}
    assert len(found["points"]) >= 2
    assert {point["pid"] for point in found["points"]} <= searched


def test_points_are_of_the_searched_persons_with_the_most_tracklets() -> None:
    pids = np.array([0] * 50 + [1] * 3 + [2] * 5 + [3] * 5 + [4])
    is_query = np.isin(np.arange(len(pids)), [50, 53, 58, 63])
    rows = some_persons(pids, is_query)
    assert pids[rows].tolist() == [1] * 3 + [2] * 5 + [3] * 5 + [4], "person 0 is not searched for: a distractor"
    many = np.repeat(np.arange(40), 30)
    rows = some_persons(many, np.ones(len(many), dtype=bool))
    assert (len(np.unique(many[rows])), len(rows)) == (MOST_PERSONS, 240)
