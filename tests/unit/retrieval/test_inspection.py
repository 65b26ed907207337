import numpy as np
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.files import read_json
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_distances, read_embeddings
from reproid.retrieval.inspection import (
    camera_pairs,
    distance_histogram,
    drawn_queries,
    hardest_queries,
    inspect,
    write_inspection,
)
from reproid.retrieval.rankings import top_rankings
from reproid.retrieval.rerank import Reranking

STANDARD = get_protocol("mars-standard")


def literal_ranking(oracle, a, query, k):
    kept = np.flatnonzero(a["pids"] != -1)
    d = oracle.naive_distances(a["embeddings"][query : query + 1], a["embeddings"][kept], "cosine")[0]
    order = [kept[j] for j in sorted(range(len(kept)), key=lambda j: (d[j], j))]
    return [j for j in order if not (a["pids"][j] == a["pids"][query] and a["camids"][j] == a["camids"][query])][:k]


def test_top_rankings_equal_a_full_sort(oracle, embedding_file, embedding_arrays) -> None:
    rankings = top_rankings(read_embeddings(embedding_file), STANDARD, k=7)
    for query in range(40):
        rows = literal_ranking(oracle, embedding_arrays, query, 7)
        assert rankings.gallery_ids[query] == tuple(embedding_arrays["tracklet_ids"][rows])
        assert rankings.correct[query] == tuple(
            bool(embedding_arrays["pids"][j] == embedding_arrays["pids"][query]) for j in rows
        )
        assert list(rankings.distances[query]) == sorted(rankings.distances[query])


def test_top_rankings_first_hits_agree_with_the_evaluation(embedding_file, distance_file) -> None:
    for source in (read_embeddings(embedding_file), read_distances(distance_file)):
        evaluation = evaluate(source, STANDARD, Options(resamples=0))
        rankings = top_rankings(source, STANDARD, k=5)
        for first, correct in zip(evaluation.queries.first_hit, rankings.correct, strict=True):
            assert (correct.index(True) + 1 if True in correct else None) == (int(first) if 0 < first <= 5 else None)


def test_top_rankings_reranked_agree_with_the_reranked_evaluation(embedding_file) -> None:
    source = read_embeddings(embedding_file)
    evaluation = evaluate(source, STANDARD, Options(resamples=0, reranking=Reranking()))
    rankings = top_rankings(source, STANDARD, k=1, reranking=Reranking())
    assert [c[0] for c in rankings.correct] == (evaluation.queries.first_hit == 1).tolist()


def test_top_rankings_k_beyond_the_gallery_gives_the_whole_ranking(distance_file) -> None:
    file = read_distances(distance_file)
    rankings = top_rankings(file, STANDARD, k=1000)
    removed = (file.queries.pids[:, None] == file.gallery.pids) & (file.queries.camids[:, None] == file.gallery.camids)
    expected = (~removed & (file.gallery.pids != -1)).sum(axis=1)
    assert [len(row) for row in rankings.gallery_ids] == expected.tolist()


def test_top_rankings_of_some_queries_are_those_of_all(embedding_file) -> None:
    source, some = read_embeddings(embedding_file), np.array([31, 4, 17])
    for reranking in (None, Reranking()):
        whole = top_rankings(source, STANDARD, k=6, reranking=reranking)
        assert top_rankings(source, STANDARD, k=6, reranking=reranking, queries=some) == whole.of(some)


def test_hardest_queries_are_the_lowest_average_precisions() -> None:
    ids, ap = np.array(["e", "d", "c", "b", "a"]), np.array([np.nan, 0.5, 0.1, 0.9, 0.1])
    assert ids[hardest_queries(ids, ap, n=3)].tolist() == ["a", "c", "d"]
    assert ids[hardest_queries(ids, ap)].tolist() == ["a", "c", "d", "b"]


def test_drawn_queries_are_scored_ones_each_once_and_the_same_again() -> None:
    ap = np.where(np.arange(50) % 5 == 0, np.nan, 0.5)
    drawn = drawn_queries(ap, n=12).tolist()
    assert len(set(drawn)) == 12
    assert all(i % 5 for i in drawn)
    assert drawn == drawn_queries(ap, n=12).tolist() != drawn_queries(ap, n=12, seed=1).tolist()
    assert drawn_queries(np.array([np.nan, 1.0])).tolist() == [1]


@pytest.mark.parametrize("reranking", [None, Reranking()], ids=["plain", "re-ranked"])
def test_write_inspection_holds_what_the_evaluation_says(tmp_path, embedding_file, reranking) -> None:
    source = read_embeddings(embedding_file)
    evaluation = evaluate(source, STANDARD, Options(resamples=0, reranking=reranking))
    inspection = inspect(source, evaluation, threads=1)
    write_inspection(inspection, tmp_path / "inspection.json")
    content = read_json(tmp_path / "inspection.json")
    assert content["camera_pairs"]["rank1"] == [list(row) for row in inspection.camera_pairs.rank1]
    assert content["distances"]["same"] == list(inspection.distances.same)
    assert [one["ap"] for one in content["hardest"]] == sorted(evaluation.queries.ap[evaluation.queries.scored])[:10]
    assert len({one["query_id"] for one in content["drawn"]}) == 10
    for gallery in (*content["hardest"], *content["drawn"]):
        first_right = next((rank for rank, place in enumerate(gallery["places"], 1) if place["correct"]), None)
        assert first_right == (gallery["first_hit_rank"] if gallery["first_hit_rank"] <= 10 else None)
        assert len(gallery["places"]) == 10


def test_camera_pairs_equal_scoring_each_pair_alone(oracle, embedding_file, embedding_arrays) -> None:
    a = embedding_arrays
    pairs = camera_pairs(read_embeddings(embedding_file), STANDARD, threads=1)
    assert pairs.cameras == (0, 1, 2, 3)
    for row in pairs.cameras:
        assert pairs.rank1[row][row] is None
        for column in pairs.cameras:
            q = np.flatnonzero(a["is_query"] & (a["camids"] == row))
            g = np.flatnonzero((a["pids"] != -1) & (a["camids"] == column))
            d = oracle.naive_distances(a["embeddings"][q], a["embeddings"][g], "cosine")
            first = oracle.naive_truth(d, a["pids"][q], a["pids"][g], a["camids"][q], a["camids"][g]).first
            scored = [rank for rank in first if rank]
            assert pairs.queries[row][column] == len(scored)
            if scored:
                assert pairs.rank1[row][column] == pytest.approx(np.mean([rank == 1 for rank in scored]))


@pytest.mark.parametrize("name", ["mars-standard", "mars-standard-euclidean"])
def test_distance_histogram_counts_all_same_person_pairs(embedding_file, name) -> None:
    source, protocol = read_embeddings(embedding_file), get_protocol(name)
    histogram = distance_histogram(source, protocol, bins=20, sample=500)
    assert sum(histogram.same) == evaluate(source, protocol, Options(resamples=0)).queries.positives.sum()
    assert 300 < sum(histogram.different) < 500
    assert len(histogram.edges) == 21
    centres = (np.array(histogram.edges[1:]) + histogram.edges[:-1]) / 2
    assert np.average(centres, weights=histogram.same) < np.average(centres, weights=histogram.different)
    assert histogram == distance_histogram(source, protocol, bins=20, sample=500)
