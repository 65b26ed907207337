"""PSFormer through the pipeline: groups of pictures from the loader, both stages, a resume, the history, and descriptors."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reproid.catalog.methods import load_methods
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Gop, Settings
from reproid.inference.embed import EmbedJob, embed
from reproid.training import loop
from reproid.training.interrupt import Interrupted
from reproid.training.run import TrainJob, train_run
from support.tracklets import HEIGHT, WIDTH, Places, small_run, write_tracklets

GRID = (HEIGHT // 16, WIDTH // 16)
OPTIONS = {"width": 16, "depth": 2, "heads": 2, "grid": list(GRID), "local_grid": list(GRID), "pretrained": None, "warp_width": 5}
OPTIONS |= {"cnn_channels": [2, 3, 4, 5], "score_width": 6}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def _run() -> Run:
    base = small_run(epochs=2)
    options = load_methods()["psformer"].resolve_options(OPTIONS, where="test")
    values = base.settings.model_dump() | {
        "method": "psformer",
        "options": options,
        "gop": Gop(method="block-matching").model_dump(),
    }
    values["clips"]["frames"] = values["embed"]["frames"] = 3
    settings = Settings.model_validate(values)
    return make_run(settings, dataset=base.dataset, data=base.data, split=base.split, seed=0, revision=1)


def test_psformer_trains_both_stages_resumes_to_the_same_bytes_and_describes(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run()
    job = TrainJob(run=run, index=places.index, data=places.data, out=tmp_path / "run", state=tmp_path / "state", workers=0)
    train_run(job)
    header, first, second = (job.out / "history.csv").read_text().splitlines()
    names = header.split(",")
    assert names[-5:] == ["error", "kept_frame_1", "kept_frame_2", "open_block_1", "open_block_2"]
    assert first.split(",")[-5:] == [""] * 5, "the first stage selects nothing"
    shares = dict(zip(names, second.split(","), strict=True))
    assert 0 < float(shares["kept_frame_1"]) < 1

    other = replace(job, out=tmp_path / "again", state=tmp_path / "state-again")
    real, done = loop.train_step, 0

    def step(*arguments: object, **options: object) -> dict[str, float]:
        nonlocal done
        values = real(*arguments, **options)  # type: ignore[arg-type]
        done += 1
        if done == 4:  # in the second stage
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    monkeypatch.setattr(loop, "train_step", step)
    with pytest.raises(Interrupted):
        train_run(other)
    train_run(other)
    for name in ("model.safetensors", "history.csv"):
        assert (other.out / name).read_bytes() == (job.out / name).read_bytes()

    embed(EmbedJob(run=job.out, index=places.index, data=places.data, out=tmp_path / "e.npz", workers=0))
    with np.load(tmp_path / "e.npz") as file:
        assert file["embeddings"].shape[1] == 16
        assert np.isfinite(file["embeddings"]).all()
        assert len(np.unique(file["embeddings"], axis=0)) > 1
