import zlib
from dataclasses import replace

import numpy as np
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.aggregate import aggregate, write_aggregate
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.inputs import read_distances
from reproid.retrieval.results import read_result
from reproid.retrieval.splits import SplitName, parse_split


@pytest.fixture
def make_result(tmp_path):
    """Return a function that scores random distances of one split and seed."""

    def make(split, seed, *, protocol="ilids-mean10", **made):
        rng = np.random.default_rng(zlib.crc32(f"{split} {seed}".encode()))
        name = f"{str(split).replace('/', '-')}-{seed}"
        path = tmp_path / f"{name}.npz"
        pids = rng.permutation(30)[:12] + 1
        np.savez(
            path,
            distances=rng.random((12, 12), np.float32),
            q_pids=pids,
            g_pids=pids,
            q_camids=np.zeros(12, int),
            g_camids=np.ones(12, int),
        )
        file = read_distances(path)
        file = replace(file, made=replace(file.made, split=None if split is None else str(split), seed=seed, **made))
        evaluation = evaluate(file, get_protocol(protocol), Options(resamples=0, threads=1))
        write_evaluation(evaluation, tmp_path / f"{name}.json")
        return read_result(tmp_path / f"{name}.json")

    return make


def test_aggregate_means_over_splits_then_seeds(make_result, tmp_path) -> None:
    results = [make_result(split, seed) for split in range(10) for seed in (0, 1, 2)]
    found = aggregate(results, resamples=300)
    maps = np.array([result.values["map"] for result in results]).reshape(10, 3)
    assert found.mean["map"] == pytest.approx(maps.mean(), abs=1e-12)
    assert found.sd_over_seeds["map"] == pytest.approx(np.std(maps.mean(axis=0), ddof=1), abs=1e-12)
    assert found.sd_over_splits["map"] == pytest.approx(np.std(maps.mean(axis=1), ddof=1), abs=1e-12)
    assert found.ci95["map"][0] < found.mean["map"] < found.ci95["map"][1]
    write_aggregate(found, tmp_path / "a.json")
    assert found.to_json()["counts"] == {"splits": 10, "splits_expected": 10, "seeds": 3}
    assert found.to_json()["splits"] == [str(i) for i in range(10)]


def test_aggregate_partial_says_that_it_is_not_complete(make_result) -> None:
    results = [make_result(split, 0) for split in range(3)]
    with pytest.raises(
        InputError, match="ilids-mean10 needs another number of splits; expected 10, got 3. Add the others, or pass --partial"
    ):
        aggregate(results)
    found = aggregate(results, partial=True, resamples=0)
    assert (found.complete, found.sd_over_seeds["map"], dict(found.ci95)) == (False, None, {})


def test_aggregate_single_file_equals_it(make_result) -> None:
    result = make_result(None, None, protocol="mars-standard")
    assert dict(aggregate([result], resamples=0).mean) == result.values


def refused(results, message, **options) -> None:
    with pytest.raises(InputError, match=message):
        aggregate(results, **options)


def test_aggregate_unlike_files_are_refused(make_result) -> None:
    first = make_result(0, 0)
    refused([], "nothing to aggregate; expected at least one metrics file, got none")
    refused(
        [first, make_result(1, 0, protocol="prid-mean10")],
        r"another protocol than .*ilids-mean10 \(revision 1\), got prid-mean10",
    )
    refused(
        [first, make_result(1, 0, sampling="strided")],
        r"1-0.json: made with another sampling than .*0-0.json; expected None, got strided",
    )
    refused(
        [first, replace(make_result(1, 0), reranking={"k1": 20})], "another re-ranking than .*; expected None, got {'k1': 20}"
    )
    refused([first, replace(first)], r"0-0.json: the same split \(0\) and seed \(0\) as .*Name them when scoring")
    refused(
        [first, make_result(1, 0), make_result(1, 1)],
        "no file for split 0 of seed 1; expected 2 splits of every seed",
        partial=True,
    )


def test_aggregate_file_made_otherwise_than_the_protocol_demands_is_refused(make_result) -> None:
    result = make_result(0, 0)
    wrong = replace(result, made=replace(result.made, pooling="max"))
    refused(
        [wrong], "0-0.json: made with another pooling than protocol ilids-mean10 demands; expected mean, got max", partial=True
    )


def test_aggregate_split_sets_are_not_mixed(make_result) -> None:
    mixed = [make_result("dal-2018/0", 0), make_result("torchreid/1", 0)]
    refused(mixed, "splits of two split sets; expected one set, got dal-2018, torchreid", partial=True)
    unnamed = [make_result("split-0", 0, protocol="prid-mean10-dal-2018")]
    refused(unnamed, "expected dal-2018-<index>, got split-0. .*reproid evaluate --split dal-2018-0", partial=True)
    other = [make_result("torchreid/0", 0, protocol="prid-mean10-dal-2018")]
    refused(other, "prid-mean10-dal-2018 needs another split set; expected dal-2018-<index>, got torchreid/0", partial=True)


def test_evaluate_protocol_of_one_split_refuses_another(make_result) -> None:
    assert make_result("official-0", 0, protocol="ilids-split0").made.split == "official-0"
    with pytest.raises(InputError, match="protocol ilids-split0 scores one split; expected split 0, got 3"):
        make_result(3, 0, protocol="ilids-split0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", ("", 3)), ("split3", ("", 3)), ("split-10", ("", 10)), ("dal-2018/7", ("dal-2018", 7)),
        ("dal-2018-7", ("dal-2018", 7)), ("official", ("", -1)), ("official-split-2", ("official", 2)),
    ],
)  # fmt: skip
def test_parse_split_names(text, expected) -> None:
    assert parse_split(text) == SplitName(*expected, text)
