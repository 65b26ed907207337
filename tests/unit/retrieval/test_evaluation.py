import numpy as np
import pyarrow.parquet as pq
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.files import read_json
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.inputs import read_distances, read_embeddings

QUICK = Options(resamples=200, threads=1)


@pytest.mark.parametrize(("name", "metric"), [("mars-standard", "cosine"), ("mars-standard-euclidean", "euclidean")])
def test_evaluate_embeddings_equals_reference(oracle, embedding_file, embedding_arrays, name, metric) -> None:
    a = embedding_arrays
    kept = a["pids"] != -1
    distances = oracle.naive_distances(a["embeddings"][:40], a["embeddings"][kept], metric)
    truth = oracle.naive_truth(distances, a["pids"][:40], a["pids"][kept], a["camids"][:40], a["camids"][kept])
    evaluation = evaluate(read_embeddings(embedding_file), get_protocol(name), QUICK)
    assert evaluation.map == pytest.approx(truth.mean(truth.ap), abs=1e-12)
    assert evaluation.minp == pytest.approx(truth.mean(truth.inp), abs=1e-12)
    assert evaluation.cmc.tolist() == pytest.approx(oracle.naive_cmc(truth.first, len(evaluation.cmc)).tolist(), abs=1e-12)


def test_evaluate_junk_excluded_or_ignored_gives_the_same_scores(embedding_file) -> None:
    file = read_embeddings(embedding_file)
    standard, counted = (evaluate(file, get_protocol(name), QUICK) for name in ("mars-standard", "mars-gallery-12180"))
    assert standard.queries.ap.tobytes() == counted.queries.ap.tobytes()
    assert (standard.selection.gallery_count, counted.selection.gallery_count) == (115, 120)


def test_evaluate_gallery_without_queries_takes_them_out(oracle, embedding_file, embedding_arrays) -> None:
    a = embedding_arrays
    kept = (a["pids"] != -1) & ~a["is_query"]
    distances = oracle.naive_distances(a["embeddings"][:40], a["embeddings"][kept], "cosine")
    truth = oracle.naive_truth(distances, a["pids"][:40], a["pids"][kept], a["camids"][:40], a["camids"][kept])
    evaluation = evaluate(read_embeddings(embedding_file), get_protocol("mars-gallery-9330"), QUICK)
    assert evaluation.map == pytest.approx(truth.mean(truth.ap), abs=1e-12)
    assert evaluation.selection.gallery_count == int(kept.sum())


def test_evaluate_misaligned_cameras_follow_the_released_code(oracle, embedding_file, embedding_arrays) -> None:
    a = embedding_arrays
    gallery = np.flatnonzero((a["pids"] != -1) & ~a["is_query"])

    def flat_cameras(rows):
        cameras = []
        for row in rows:
            clips = min(int(np.ceil(a["n_frames"][row] / 4)), 41)
            cameras.extend([a["camids"][row]] * (clips * 4))
        return cameras[: len(rows)]

    distances = oracle.naive_distances(a["embeddings"][:40], a["embeddings"][gallery], "euclidean")
    truth = oracle.naive_truth(distances, a["pids"][:40], a["pids"][gallery], flat_cameras(range(40)), flat_cameras(gallery))
    evaluation = evaluate(read_embeddings(embedding_file), get_protocol("mars-camera-misaligned"), QUICK)
    assert evaluation.map == pytest.approx(truth.mean(truth.ap), abs=1e-12)
    assert evaluation.dropped.get("only_same_camera", 0) + evaluation.dropped.get("no_match", 0) == int(np.isnan(truth.ap).sum())


def test_evaluate_misaligned_from_distances_equals_that_from_embeddings(
    oracle, tmp_path, embedding_file, embedding_arrays
) -> None:
    a = embedding_arrays
    np.savez(
        tmp_path / "d.npz",
        distances=oracle.naive_distances(a["embeddings"][:40], a["embeddings"], "euclidean"),
        **{f"q_{name}": a[name][:40] for name in ("pids", "camids", "n_frames")},
        **{f"g_{name}": a[name] for name in ("pids", "camids", "n_frames", "is_query")},
    )
    protocol = get_protocol("mars-camera-misaligned")
    given, computed = (
        evaluate(file, protocol, QUICK) for file in (read_distances(tmp_path / "d.npz"), read_embeddings(embedding_file))
    )
    assert given.ranks.ranks.tobytes() == computed.ranks.ranks.tobytes()
    assert given.to_json()["counts"] == computed.to_json()["counts"]


def test_evaluate_cameras_of_the_protocol_choose_queries_and_gallery(embedding_file, embedding_arrays) -> None:
    evaluation = evaluate(read_embeddings(embedding_file), get_protocol("ilids-mean10"), QUICK)
    assert set(evaluation.selection.queries.camids) == {0}
    assert set(evaluation.selection.gallery.camids) == {1}


def test_evaluate_same_seed_gives_the_same_json(distance_file) -> None:
    file, protocol = read_distances(distance_file), get_protocol("mars-standard")
    assert evaluate(file, protocol, QUICK).to_json() == evaluate(file, protocol, QUICK).to_json()
    other = evaluate(file, protocol, Options(resamples=200, seed=1))
    assert other.ci95 != evaluate(file, protocol, QUICK).ci95
    assert other.map == evaluate(file, protocol, QUICK).map


@pytest.mark.parametrize("name", ["mars-gallery-9330", "mars-camera-misaligned"])
def test_evaluate_distances_without_query_flags_are_refused(distance_file, name) -> None:
    with pytest.raises(InputError, match=f"protocol {name} takes the queries out.*expected an array g_is_query, got none"):
        evaluate(read_distances(distance_file), get_protocol(name))


def test_evaluate_distances_without_lengths_are_refused_by_the_misaligned_protocol(tmp_path, distance_arrays) -> None:
    np.savez(tmp_path / "d.npz", **distance_arrays, g_is_query=np.zeros(80, bool))
    with pytest.raises(
        InputError, match="mars-camera-misaligned needs the tracklets' lengths; expected an array q_n_frames, got none"
    ):
        evaluate(read_distances(tmp_path / "d.npz"), get_protocol("mars-camera-misaligned"))


def test_evaluate_no_match_at_all_is_an_error(tmp_path, distance_arrays) -> None:
    np.savez(tmp_path / "d.npz", **distance_arrays | {"q_pids": np.full(30, 99)})
    with pytest.raises(
        InputError, match="no query has a match under protocol mars-standard; expected at least 1, got 30 no_match"
    ):
        evaluate(read_distances(tmp_path / "d.npz"), get_protocol("mars-standard"))


def test_evaluate_nothing_left_is_an_error(tmp_path, distance_arrays) -> None:
    np.savez(tmp_path / "d.npz", **distance_arrays | {"g_pids": np.full(80, -1)})
    with pytest.raises(
        InputError, match="no gallery tracklets are left under protocol mars-standard; expected at least 1, got 0 of 80"
    ):
        evaluate(read_distances(tmp_path / "d.npz"), get_protocol("mars-standard"))


def test_write_evaluation_json_and_table_agree(tmp_path, distance_file) -> None:
    evaluation = evaluate(read_distances(distance_file), get_protocol("mars-standard"), QUICK)
    table = pq.read_table(write_evaluation(evaluation, tmp_path / "m" / "mars-standard.json")).to_pandas()
    content = read_json(tmp_path / "m" / "mars-standard.json")
    scored = table[table.dropped.isna()]
    assert content["map"] == pytest.approx(scored.ap.mean(), abs=1e-12)
    assert content["rank5"] == pytest.approx((scored.first_hit_rank <= 5).mean(), abs=1e-12)
    assert content["counts"]["scored"] == len(scored)
    assert content["counts"]["queries"] == len(table) == 30
    assert content["counts"]["dropped"] == table.dropped.value_counts().to_dict()
    assert content["ci95"]["map"][0] < content["map"] < content["ci95"]["map"][1]
    assert content["protocol"]["definition"]["ties"] == "distance-then-gallery-index"
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["mars-standard.json", "mars-standard.queries.parquet"]
