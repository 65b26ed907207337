"""Re-ranking against a literal, dense version of the paper's algorithm."""

import numpy as np
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_distances, read_embeddings
from reproid.retrieval.rerank import RerankedDistances, Reranking


def dense_reranking(d, n_query, k1, k2, weight):
    """Zhong et al. 2017 on a full matrix of squared distances [N, N], float64."""
    n = len(d)
    d = d / np.where(d.max(axis=1) > 0, d.max(axis=1), 1)[:, None]
    rank = np.argsort(d, axis=1, kind="stable")

    def reciprocal(i, k):
        return {j for j in rank[i, : k + 1] if i in rank[j, : k + 1]}

    v = np.zeros((n, n))
    for i in range(n):
        own = reciprocal(i, k1)
        full = set(own)
        for j in own:
            other = reciprocal(j, int(np.around(k1 / 2)))
            if len(other & own) > 2 / 3 * len(other):
                full |= other
        members = sorted(full)
        v[i, members] = np.exp(-d[i, members]) / np.exp(-d[i, members]).sum()
    if k2 > 1:
        v = np.stack([v[rank[i, :k2]].mean(axis=0) for i in range(n)])
    smaller = np.minimum(v[:n_query, None], v[None, n_query:]).sum(axis=2)
    return weight * d[:n_query, n_query:] + (1 - weight) * (1 - smaller / (2 - smaller))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(("k1", "k2", "weight"), [(20, 6, 0.3), (7, 1, 0.0), (5, 5, 1.0)])
def test_reranked_distances_equal_the_dense_algorithm(oracle, metric, k1, k2, weight) -> None:
    rng = np.random.default_rng(10)
    items = (np.repeat(rng.standard_normal((9, 12)), 10, axis=0) + 0.7 * rng.standard_normal((90, 12))).astype(np.float32)
    truth = dense_reranking(oracle.naive_distances(items, items, metric), 25, k1, k2, weight)
    source = RerankedDistances(items[:25], items[25:], metric, settings=Reranking(k1=k1, k2=k2, weight=weight), block=(16, 20))
    owners, members = np.divmod(np.arange(25 * 65), 65)
    np.testing.assert_allclose(source.query_block(0, 25).pairs(owners, members), truth.ravel(), rtol=0, atol=1e-12)


def test_evaluate_reranked_equals_ranking_by_the_dense_distances(oracle, embedding_file, embedding_arrays) -> None:
    a, kept = embedding_arrays, embedding_arrays["pids"] != -1
    items = np.concatenate([a["embeddings"][:40], a["embeddings"][kept]])
    distances = dense_reranking(oracle.naive_distances(items, items, "cosine"), 40, 20, 6, 0.3)
    truth = oracle.naive_truth(distances.round(13), a["pids"][:40], a["pids"][kept], a["camids"][:40], a["camids"][kept])
    options = Options(resamples=0, threads=2, reranking=Reranking())
    evaluation = evaluate(read_embeddings(embedding_file), get_protocol("mars-standard"), options)
    assert evaluation.map == pytest.approx(truth.mean(truth.ap), abs=1e-12)
    assert evaluation.to_json()["reranking"] == {"method": "k-reciprocal", "k1": 20, "k2": 6, "weight": 0.3}


@pytest.mark.parametrize("block", [(1, 3), (7, 50), (40, 200)], ids=str)
def test_reranked_distances_any_block_gives_the_same_bits(block) -> None:
    items = np.random.default_rng(11).integers(-2, 3, (60, 4)).astype(np.float32) + np.float32(0.5)
    settings = Reranking(k1=6, k2=3)
    owners, members = np.divmod(np.arange(20 * 40), 40)
    results = [
        RerankedDistances(items[:20], items[20:], "euclidean", settings=settings, block=b)
        .query_block(0, 20)
        .pairs(owners, members)
        for b in (None, block)
    ]
    assert results[0].tobytes() == results[1].tobytes()


def test_reranking_impossible_constants_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"expected 1 <= k2 <= k1 and lambda within 0-1, got Reranking\(k1=3, k2=6, weight=0.3\)"
    ):
        Reranking(k1=3)


def test_reranked_distances_too_few_items_are_refused() -> None:
    items = np.ones((4, 2), np.float32)
    with pytest.raises(InputError, match="too few tracklets to re-rank; expected at least k1 \\+ 1 = 21, got 8"):
        RerankedDistances(items, items, "cosine", settings=Reranking())


def test_evaluate_reranking_of_distances_is_refused(distance_file) -> None:
    with pytest.raises(InputError, match="re-ranking needs embeddings; got distances of queries to the gallery alone"):
        evaluate(read_distances(distance_file), get_protocol("mars-standard"), Options(reranking=Reranking()))
