"""Exactness: ranks by counting against full sorts, and ranks from embeddings against float64 distances."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.distances import EmbeddingDistances, MatrixDistances
from reproid.retrieval.ranks import rank_matches
from reproid.retrieval.scores import cmc, score_queries
from reproid.retrieval.tracklets import Tracklets, select


def labels(pids, camids) -> Tracklets:
    pids, camids = np.asarray(pids, np.int64), np.asarray(camids, np.int64)
    return Tracklets(ids=np.arange(len(pids)).astype(str), pids=pids, camids=camids)


def matrix_ranks(problem, **options):
    distances, q_pids, g_pids, q_camids, g_camids = problem
    selection = select(get_protocol("mars-standard"), labels(q_pids, q_camids), labels(g_pids, g_camids))
    return rank_matches(MatrixDistances(distances, selection.query_rows, selection.gallery_rows), selection, **options)


def assert_equals_truth(ranks, truth) -> None:
    step, trapezoid = score_queries(ranks, ap="step"), score_queries(ranks, ap="trapezoid")
    np.testing.assert_allclose(step.ap, truth.ap, rtol=0, atol=1e-12)
    np.testing.assert_allclose(trapezoid.ap, truth.trapezoid, rtol=0, atol=1e-12)
    np.testing.assert_allclose(step.inp, truth.inp, rtol=0, atol=1e-12)
    assert step.first_hit.tolist() == truth.first


def random_problem(rng, *, queries=25, gallery=60, persons=6, levels=0, dtype=np.float32):
    distances = rng.standard_normal((queries, gallery))
    if levels:
        distances = rng.integers(0, levels, (queries, gallery)) - levels // 2
    sides = [rng.integers(0, persons, n) for n in (queries, gallery)], [rng.integers(0, 3, n) for n in (queries, gallery)]
    return distances.astype(dtype), *sides[0], *sides[1]


ADVERSARIAL = {
    "ties everywhere": lambda rng: random_problem(rng, levels=1),
    "many ties": lambda rng: random_problem(rng, levels=4),
    "negative distances and signed zeros": lambda rng: (
        np.where(rng.random((5, 30)) < 0.5, -0.0, rng.integers(-1, 2, (5, 30))).astype(np.float32),
        *random_problem(rng, queries=5, gallery=30)[1:],
    ),
    "one query": lambda rng: random_problem(rng, queries=1),
    "one gallery tracklet of the person in another camera": lambda rng: (np.ones((1, 1), np.float32), [1], [1], [0], [1]),
    "all positives": lambda rng: (rng.random((4, 50)).astype(np.float32), [7] * 4, [7] * 50, [0] * 4, [1] * 50),
    "all positives at one distance": lambda rng: (np.ones((4, 50), np.float32), [7] * 4, [7] * 50, [0] * 4, [1] * 50),
    "no positives for some": lambda rng: random_problem(rng, persons=40),
    "only the same camera": lambda rng: (
        rng.random((2, 9)).astype(np.float32),
        [1, 2],
        [1] * 4 + [2] * 5,
        [0, 0],
        [0] * 4 + [1] * 5,
    ),
    "float64": lambda rng: random_problem(rng, dtype=np.float64),
    "float64 that float32 cannot tell apart": lambda rng: (
        1 + 1e-12 * rng.standard_normal((8, 40)),
        *random_problem(rng, queries=8, gallery=40)[1:],
    ),
}


@pytest.mark.parametrize("case", ADVERSARIAL, ids=str)
def test_rank_matches_adversarial_equals_full_sort(case, oracle) -> None:
    problem = ADVERSARIAL[case](np.random.default_rng(5))
    assert_equals_truth(matrix_ranks(problem, threads=1), oracle.naive_truth(*problem))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), levels=st.sampled_from([0, 2, 7, 50]), persons=st.integers(1, 9))
def test_rank_matches_random_equals_full_sort(oracle, seed, levels, persons) -> None:
    problem = random_problem(np.random.default_rng(seed), levels=levels, persons=persons)
    assert_equals_truth(matrix_ranks(problem, threads=1), oracle.naive_truth(*problem))


def test_rank_matches_no_positives_says_why() -> None:
    problem = np.zeros((3, 3), np.float32), [1, 2, 3], [1, 1, 3], [0, 0, 0], [0, 1, 0]
    assert matrix_ranks(problem).dropped.tolist() == ["", "no_match", "only_same_camera"]


def test_rank_matches_ties_go_by_gallery_index() -> None:
    problem = np.zeros((1, 4), np.float32), [1], [2, 1, 2, 1], [0], [1, 1, 1, 1]
    ranks = matrix_ranks(problem)
    assert (ranks.ranks.tolist(), ranks.matches.tolist()) == ([2, 4], [1, 3])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
def test_rank_matches_not_finite_names_row(bad) -> None:
    problem = random_problem(np.random.default_rng(6))
    problem[0][17, 3] = bad
    with pytest.raises(InputError, match=rf"row 17, column 3: distances must be finite, got {bad}|row 17, column 3.*got {bad}"):
        matrix_ranks(problem)


def embedding_ranks(x, y, metric, problem, *, block=None, threads=1):
    selection = select(get_protocol("mars-standard"), labels(problem[1], problem[3]), labels(problem[2], problem[4]))
    return rank_matches(EmbeddingDistances(x, y, metric, block=block), selection, threads=threads)


def near_tied_embeddings(rng, n, size):
    """A few directions, each repeated with differences of single float32 roundings, and exact copies among them."""
    base = rng.standard_normal((4, size))[rng.integers(0, 4, n)]
    return (base * (1 + 6e-8 * rng.integers(-2, 3, base.shape))).astype(np.float32)


EMBEDDINGS = {
    "random": lambda rng, n: rng.standard_normal((n, 24)).astype(np.float32),
    "near-ties": lambda rng, n: near_tied_embeddings(rng, n, 24),
    "copies": lambda rng, n: rng.integers(-1, 2, (n, 3)).astype(np.float32) + np.float32(4),
    "huge and tiny": lambda rng, n: (rng.standard_normal((n, 24)) * 10.0 ** rng.integers(-12, 18, (n, 1))).astype(np.float32),
    "far from the origin": lambda rng, n: (1000 + 1e-3 * rng.standard_normal((n, 24))).astype(np.float32),
}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("case", EMBEDDINGS, ids=str)
def test_rank_matches_from_embeddings_equals_float64_reference(case, metric, oracle) -> None:
    rng = np.random.default_rng(7)
    problem = random_problem(rng, queries=40, gallery=150)
    x, y = EMBEDDINGS[case](rng, 40), EMBEDDINGS[case](rng, 150)
    truth = oracle.naive_truth(oracle.naive_distances(x, y, metric), *problem[1:])
    assert_equals_truth(embedding_ranks(x, y, metric, problem), truth)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_rank_matches_any_block_and_threads_gives_the_same_bits(metric) -> None:
    rng = np.random.default_rng(8)
    problem = random_problem(rng, queries=37, gallery=201)
    x, y = near_tied_embeddings(rng, 37, 33), near_tied_embeddings(rng, 201, 33)
    reference = embedding_ranks(x, y, metric, problem)
    assert np.unique(reference.ranks).size > 50
    for block, threads in (((1, 1), 1), ((5, 7), 2), ((64, 100), 3), ((37, 201), 5)):
        again = embedding_ranks(x, y, metric, problem, block=block, threads=threads)
        assert again.ranks.tobytes() == reference.ranks.tobytes()
        assert again.matches.tobytes() == reference.matches.tobytes()


def test_rank_matches_from_embeddings_never_holds_the_distance_matrix() -> None:
    rng = np.random.default_rng(15)
    problem = (
        None,
        rng.integers(1, 2000, 500),
        rng.integers(1, 2000, 20_000),
        rng.integers(0, 3, 500),
        rng.integers(0, 3, 20_000),
    )
    x, y = (rng.standard_normal((n, 8)).astype(np.float32) for n in (500, 20_000))
    embedding_ranks(x[:2], y[:50], "cosine", tuple(p if p is None else p[: (2, 50)[i % 2 == 0]] for i, p in enumerate(problem)))
    tracemalloc.start()
    embedding_ranks(x, y, "cosine", problem, block=(64, 1024))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.15 * 500 * 20_000 * 4


def test_scores_synth_equal_reference_values(synth) -> None:
    ranks = matrix_ranks(synth)
    scores = score_queries(ranks)
    assert scores.ap.mean() == pytest.approx(0.8573420666, abs=1e-9)
    assert score_queries(ranks, ap="trapezoid").ap.mean() == pytest.approx(0.8552952907, abs=1e-9)
    assert scores.inp.mean() == pytest.approx(0.2559269592, abs=1e-9)
    assert cmc(scores.first_hit, longest=ranks.longest)[0] == pytest.approx(0.9994949495, abs=1e-9)


def test_cmc_every_rank_equals_counting(oracle) -> None:
    first = [1, 3, 3, 60, 9]
    assert cmc(np.array(first), longest=100) == pytest.approx(oracle.naive_cmc(first, 60), abs=1e-15)
    assert len(cmc(np.array([1, 2]), longest=100)) == 50
    assert len(cmc(np.array([1, 2]), longest=8)) == 8
