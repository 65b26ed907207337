import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.compare import compare, find_result, tracklets_shown
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.inputs import read_embeddings
from reproid.retrieval.page import compare_page
from reproid.retrieval.pictures import thumbnails
from reproid.retrieval.rankings import rankings_path, read_rankings, top_rankings, write_rankings
from reproid.retrieval.rerank import Reranking

STANDARD, QUICK = get_protocol("mars-standard"), Options(resamples=0, threads=1)


@pytest.fixture
def runs(tmp_path, embedding_file, embedding_arrays):
    """Two run folders, B of noisier embeddings, with rankings beside their metrics."""
    noise = np.random.default_rng(13).standard_normal(embedding_arrays["embeddings"].shape).astype(np.float32)
    folders = []
    for name, scale in (("a", 0), ("b", 1.5)):
        np.savez(tmp_path / f"{name}.npz", **embedding_arrays | {"embeddings": embedding_arrays["embeddings"] + scale * noise})
        file = read_embeddings(tmp_path / f"{name}.npz")
        metrics = tmp_path / name / "metrics" / "mars-standard.json"
        write_evaluation(evaluate(file, STANDARD, QUICK), metrics)
        write_rankings(top_rankings(file, STANDARD, k=4), rankings_path(metrics))
        folders.append(tmp_path / name)
    return folders


@pytest.fixture
def comparison(runs):
    return compare(*[find_result(run, None) for run in runs], draws=300)


def test_compare_flips_are_the_queries_whose_first_place_changes(comparison) -> None:
    a, b = comparison.a.queries, comparison.b.queries
    right_a, right_b = set(a.ids[a.first_hit == 1]), set(b.ids[b.first_hit == 1])
    both = set(a.ids) & set(b.ids)
    assert {f.query_id for f in comparison.flips if f.gained} == (right_b - right_a) & both
    assert {f.query_id for f in comparison.flips if not f.gained} == (right_a - right_b) & both
    assert comparison.lost > comparison.gained >= 0
    changes = [abs(f.ap_b - f.ap_a) for f in comparison.flips]
    assert changes == sorted(changes, reverse=True)
    for flip in comparison.flips:
        assert (flip.ranking_a[0].correct, flip.ranking_b[0].correct) == (not flip.gained, flip.gained)
        assert {flip.query_id, flip.ranking_a[0].tracklet_id} <= set(tracklets_shown(comparison.flips))


def test_compare_without_rankings_files_takes_them_from_the_embeddings(runs, comparison) -> None:
    for run in runs:
        (run / "embeddings").mkdir()
        (run.parent / f"{run.name}.npz").rename(run / "embeddings" / "dense.npz")
        rankings_path(find_result(run, None)).unlink()
    again = compare(*[find_result(run, None) for run in runs], draws=300)
    assert len(again.flips) == len(comparison.flips) > 3
    for flip, known in zip(again.flips, comparison.flips, strict=True):
        assert len(flip.ranking_a) == len(flip.ranking_b) == 10
        assert (flip.ranking_a[:4], flip.ranking_b[:4]) == (known.ranking_a, known.ranking_b)


def test_compare_page_shows_numbers_words_and_labelled_gaps(comparison) -> None:
    html = compare_page(comparison, names=("one", "two"), shown=2)
    first = comparison.differences[0]
    for text in (
        f"{100 * first.a:.2f}",
        f"{100 * first.difference:+.2f}",
        "mars-standard, revision 1",
        "no picture",
        "one against two",
    ):
        assert text in html
    assert html.count("<section>") == 2
    assert html == compare_page(comparison, names=("one", "two"), shown=2)


def test_compare_page_escapes_names(comparison) -> None:
    html = compare_page(comparison, names=("<script>alert(1)</script>", "b"))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_compare_page_labels_reranking(comparison) -> None:
    assert "is re-ranked" not in compare_page(comparison, names=("a", "b"))
    labelled = replace(comparison, b=replace(comparison.b, reranking={"method": "k-reciprocal", "k1": 20}))
    assert "Run B is re-ranked (method k-reciprocal, k1 20)." in compare_page(labelled, names=("a", "b"))


def test_compare_page_embeds_the_pictures_it_is_given(tmp_path, comparison) -> None:
    ids = tracklets_shown(comparison.flips)
    (tmp_path / "data").mkdir()
    Image.new("RGB", (64, 128), "red").save(tmp_path / "data" / "red.png")
    table = {"tracklet_id": list(ids), "frames": [["x.png", "red.png", "x.png"]] * (len(ids) - 1) + [["missing.png"]]}
    pq.write_table(pa.table(table), tmp_path / "tracklets.parquet")
    pictures = thumbnails(ids, index=tmp_path, data=tmp_path / "data")
    assert set(pictures) == set(ids[:-1])
    assert compare_page(comparison, names=("a", "b"), pictures=pictures).count("data:image/jpeg;base64,") > 0


def test_thumbnails_frame_outside_the_data_folder_is_refused(tmp_path) -> None:
    pq.write_table(pa.table({"tracklet_id": ["t"], "frames": [["../secret.png"]]}), tmp_path / "tracklets.parquet")
    with pytest.raises(InputError, match=r"outside the folder; expected .*, got \.\./secret\.png"):
        thumbnails(["t"], index=tmp_path, data=tmp_path / "data")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "file not found. Give the folder of the data set's index"),
        (lambda path: path.write_bytes(b"x"), "not a Parquet file, or damaged. Give the folder"),
        (lambda path: pq.write_table(pa.table({"other": [1]}), path), "column 'tracklet_id' is missing; got other"),
    ],
    ids=["missing", "damaged", "columns"],
)
def test_thumbnails_without_an_index_say_so(tmp_path, make, message) -> None:
    make(tmp_path / "tracklets.parquet")
    with pytest.raises(InputError, match=f"tracklets.parquet: {message}"):
        thumbnails(["t"], index=tmp_path, data=tmp_path)


def test_compare_two_protocols_are_refused(tmp_path, runs, embedding_file) -> None:
    other = tmp_path / "m.json"
    write_evaluation(evaluate(read_embeddings(embedding_file), get_protocol("mars-matlab-ap"), QUICK), other)
    message = re.escape("two protocols cannot be compared; expected mars-standard (revision 1), got mars-matlab-ap (revision 1)")
    with pytest.raises(InputError, match=message):
        compare(find_result(runs[0], None), other)


def test_find_result_ambiguous_or_absent_names_the_choices(tmp_path, runs) -> None:
    (runs[0] / "metrics" / "other.json").write_text("{}")
    assert find_result(runs[0], "other").name == "other.json"
    with pytest.raises(
        InputError, match="which metrics file.; expected one protocol, got mars-standard, other. Name it by --protocol"
    ):
        find_result(runs[0], None)
    with pytest.raises(InputError, match="expected mars-standard, got no metrics file"):
        find_result(tmp_path / "nothing", "mars-standard")


def test_rankings_file_returns_what_was_written(tmp_path, embedding_file) -> None:
    rankings = top_rankings(read_embeddings(embedding_file), STANDARD, k=3)
    write_rankings(rankings, tmp_path / "r.parquet")
    assert read_rankings(tmp_path / "r.parquet") == rankings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "file not found. Write it by reproid evaluate --rankings 10"),
        (lambda path: path.write_bytes(b"PAR1PAR1"), "not a Parquet file, or damaged. Write it by"),
        (lambda path: pq.write_table(pa.table({"query_id": ["a"]}), path), "column 'gallery_id' is missing; got query_id"),
    ],
    ids=["missing", "damaged", "columns"],
)
def test_read_rankings_damaged_says_so(tmp_path, make, message) -> None:
    make(tmp_path / "r.parquet")
    with pytest.raises(InputError, match=f"r.parquet: {message}"):
        read_rankings(tmp_path / "r.parquet")


def test_compare_reranked_run_keeps_its_label(tmp_path, embedding_file) -> None:
    options = replace(QUICK, reranking=Reranking())
    write_evaluation(evaluate(read_embeddings(embedding_file), STANDARD, options), tmp_path / "m.json")
    found = compare(tmp_path / "m.json", tmp_path / "m.json", draws=50)
    assert found.a.reranking == {"method": "k-reciprocal", "k1": 20, "k2": 6, "weight": 0.3}
    assert found.flips == ()
