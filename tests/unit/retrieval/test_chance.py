"""The closed forms against every order of a small gallery, and against simulated rankings of a larger one."""

from itertools import combinations

import numpy as np
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.retrieval.chance import chance_level
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_distances, read_embeddings


def every_order(oracle, n: int, p: int, ap: str) -> dict[str, float]:
    """Average the literal scores over every place that p matches can have among n: all are equally likely."""
    found = []
    for places in combinations(range(n), p):
        pids = np.isin(np.arange(n), places).astype(int)
        truth = oracle.naive_truth([np.arange(n)], [1], pids, [0], np.ones(n))
        hits = {f"rank{k}": float(truth.first[0] <= k) for k in (1, 5, 10, 20)}
        found.append({"map": truth.ap[0] if ap == "step" else truth.trapezoid[0], "minp": truth.inp[0], **hits})
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


@pytest.mark.parametrize("ap", ["step", "trapezoid"])
@pytest.mark.parametrize(("n", "p"), [(1, 1), (2, 1), (2, 2), (7, 1), (7, 3), (7, 7), (9, 2), (12, 5)], ids=str)
def test_chance_level_equals_the_mean_over_every_order(oracle, n, p, ap) -> None:
    assert chance_level(np.array([p]), np.array([n]), ap=ap) == pytest.approx(every_order(oracle, n, p, ap), abs=1e-12)


def test_chance_level_of_queries_is_the_mean_of_theirs() -> None:
    positives, lengths = np.array([1, 3, 3, 2]), np.array([10, 10, 10, 400])
    single = [chance_level(positives[[i]], lengths[[i]]) for i in range(4)]
    whole = chance_level(positives, lengths)
    assert whole == pytest.approx({name: np.mean([one[name] for one in single]) for name in whole}, abs=1e-12)


def test_chance_level_of_a_single_match_is_known() -> None:
    found = chance_level(np.array([1]), np.array([100_000]), ranks=(1, 20))
    harmonic = float((1 / np.arange(1, 100_001)).sum())
    assert found == pytest.approx({"map": harmonic / 1e5, "minp": harmonic / 1e5, "rank1": 1e-5, "rank20": 2e-4}, rel=1e-9)


@pytest.mark.parametrize("name", ["mars-standard", "mars-matlab-ap", "mars-gallery-9330"])
def test_evaluation_chance_agrees_with_random_embeddings(embedding_file, embedding_arrays, tmp_path, name) -> None:
    protocol = get_protocol(name)
    stated = evaluate(read_embeddings(embedding_file), protocol, Options(resamples=0, threads=1)).to_json()["chance"]
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        rows = rng.standard_normal((len(embedding_arrays["pids"]), 12)).astype(np.float32)
        np.savez(tmp_path / "r.npz", **{**embedding_arrays, "embeddings": rows})
        content = evaluate(read_embeddings(tmp_path / "r.npz"), protocol, Options(resamples=0, threads=1)).to_json()
        found.append([content[metric] for metric in stated])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(means - list(stated.values())) < 4 * errors + 1e-12).all(), dict(zip(stated, means, strict=True))


def test_evaluation_chance_is_far_below_a_good_ranking(distance_file) -> None:
    content = evaluate(read_distances(distance_file), get_protocol("mars-standard"), Options(resamples=0)).to_json()
    assert set(content["chance"]) == {"map", "minp", "rank1", "rank5", "rank10", "rank20"}
    assert 0 < content["chance"]["rank1"] < content["chance"]["rank5"] < 1
