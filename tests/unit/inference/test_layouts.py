"""Training, embedding and scoring know no layout: the tiny set in each official one, through the very same adapters."""

from pathlib import Path

import pytest

from reproid.catalog.catalog import Catalog, load_catalog
from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.protocols import get_protocol
from reproid.catalog.runs import make_run
from reproid.datasets.index import load_index, write_index
from reproid.datasets.layouts import build_index
from reproid.inference.embed import EmbedJob, embed
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_embeddings
from reproid.synthetic.render import render_dataset
from reproid.training.run import TrainJob, train_run
from support.tracklets import small_run

REAL = ("mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(suite="tiny")


@pytest.mark.parametrize("real", REAL)
def test_a_run_on_every_layout_is_scored_under_every_protocol_that_a_table_asks_for(
    real: str, catalog: Catalog, tmp_path: Path
) -> None:
    name = catalog.suite.datasets[real]
    declared = catalog.datasets[name]
    assert isinstance(declared, SyntheticDataSet)
    assert declared.layout == catalog.datasets[real].layout
    split = declared.splits[0]
    data = render_dataset(declared.spec, tmp_path / "set", layout=declared.layout).folder
    write_index(build_index(name, data, layout=declared.layout), tmp_path / "index")
    run = make_run(small_run(epochs=1, steps_per_epoch=1).settings, dataset=name, data=declared, split=split, seed=0, revision=1)
    places = {"index": tmp_path / "index", "data": data}
    train_run(TrainJob(run=run, **places, out=tmp_path / "run", state=tmp_path / "state", workers=0))
    embed(EmbedJob(run=tmp_path / "run", **places, out=tmp_path / "run/dense.npz", workers=0))
    embeddings = read_embeddings(tmp_path / "run/dense.npz")
    tables = [table for paper in catalog.papers.values() for table in paper.tables.values()]
    used = {table.protocols[real] for table in tables if real in table.protocols}
    assert used
    for protocol in sorted(used):
        found = evaluate(embeddings, get_protocol(protocol), Options(resamples=0, threads=1)).to_json()
        assert found["counts"]["queries"] == len(load_index(tmp_path / "index").tracklets("query", split))
        assert found["counts"]["scored"] > 0
        assert 0 < found["map"] <= 1
