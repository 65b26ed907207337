"""Runs that share a training: set up beside it, described with its weights under their own options."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from reproid.cli.train import train as train_command
from reproid.errors import InputError
from reproid.inference.embed import EmbedJob, embed
from reproid.inference.retest import checkpoint_of, retest
from reproid.training.run import TrainJob, train_run
from support.psformer_run import psformer_run
from support.tracklets import write_tracklets


def test_run_that_shares_a_training_is_described_with_its_weights(tmp_path: Path) -> None:
    places = write_tracklets(tmp_path)
    ours, never, always = (psformer_run(depth=3, **options) for options in ({}, {"test_threshold": 2.0}, {"test_threshold": 0.0}))
    folder = tmp_path / "runs"
    out = folder / ours.run_id
    train_run(TrainJob(run=ours, index=places.index, data=places.data, out=out, state=tmp_path / "state", workers=0))
    found = {}
    for run in (ours, never, always):
        if not run.trains:
            retest(run, folder / run.run_id)
            assert {path.name for path in (folder / run.run_id).iterdir()} == {"run.json", "history.csv", "manifest.json"}
            assert (folder / run.run_id / "history.csv").read_bytes() == (out / "history.csv").read_bytes()
        assert checkpoint_of(folder / run.run_id, run) == out / "model.safetensors"
        file = tmp_path / f"{run.run_id}.npz"
        embed(EmbedJob(run=folder / run.run_id, index=places.index, data=places.data, out=file, workers=0))
        with np.load(file) as written:
            assert str(written["run_id"]) == run.run_id
            found[run.run_id] = written["embeddings"]
    assert not np.array_equal(found[never.run_id], found[always.run_id]), "the threshold of the test reaches the model"


def test_run_without_its_training_is_refused(tmp_path: Path) -> None:
    other = psformer_run(depth=3, test_threshold=0.9)
    with pytest.raises(
        InputError, match=rf"history\.csv: the training that the run shares is missing. Train run {other.training_id} first"
    ):
        retest(other, tmp_path / other.run_id)
    with pytest.raises(InputError, match="a run of its own training"):
        retest(psformer_run(depth=3), tmp_path / "x")


def test_run_that_shares_a_training_is_not_trained(tmp_path: Path) -> None:
    other = psformer_run(depth=3, test_threshold=0.9)
    (tmp_path / "run.json").write_text(other.model_dump_json())
    done = CliRunner().invoke(train_command, ["--run-file", str(tmp_path / "run.json")])
    assert isinstance(done.exception, InputError)
    assert f"Train {other.training_id}, then set this one up: `reproid retest --run-id {other.run_id}`" in str(done.exception)
