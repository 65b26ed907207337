"""PSFormer through the pipeline: groups of pictures from the loader, both stages, a resume, the history, and descriptors."""

import csv
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reproid.catalog.runs import make_run
from reproid.inference.embed import EmbedJob, embed
from reproid.training import loop
from reproid.training.interrupt import Interrupted
from reproid.training.run import TrainJob, train_run
from support.psformer_run import psformer_run
from support.team import run_team
from support.tracklets import HEIGHT, WIDTH, Places, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


def test_psformer_trains_both_stages_resumes_to_the_same_bytes_and_describes(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = psformer_run(epochs=2, local_grid=[HEIGHT // 16, WIDTH // 16])
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


def test_psformer_on_two_ranks_has_the_first_stage_of_one_process_and_draws_of_its_own_in_the_second(
    places: Places, tmp_path: Path
) -> None:
    base = psformer_run(epochs=2, local_grid=[HEIGHT // 16, WIDTH // 16])
    batch = base.settings.train.batch.model_copy(update={"persons": 4})
    settings = base.settings.model_copy(update={"train": base.settings.train.model_copy(update={"batch": batch})})
    run = make_run(settings, dataset=base.dataset, data=base.data, split=base.split, seed=0, revision=1)

    def job(name: str) -> TrainJob:
        return TrainJob(
            run=run, index=places.index, data=places.data, out=tmp_path / name, state=tmp_path / f"state-{name}", workers=0
        )

    def history(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((tmp_path / name / "history.csv").read_text().splitlines()))

    train_run(job("one"))
    for name in ("two", "again"):
        assert run_team(tmp_path / f"said-{name}", lambda team, name=name: train_run(job(name), team)) == [None, None]
    (first, second), (first_of_two, second_of_two) = history("one"), history("two")
    assert float(first_of_two["loss"]) == pytest.approx(float(first["loss"]), rel=1e-4)
    assert float(first_of_two["triplet"]) == pytest.approx(float(first["triplet"]), rel=1e-4)
    assert second_of_two["kept_frame_1"] != second["kept_frame_1"], "noise of each rank's own"
    assert all(np.isfinite(float(value)) for value in second_of_two.values())
    for file in ("model.safetensors", "history.csv"):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
