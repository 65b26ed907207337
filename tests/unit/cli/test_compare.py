import subprocess
import sys

import numpy as np
import pytest

from reproid.files import read_json, write_json


def reproid(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "reproid", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs' folders with run.json and embeddings, scored by the command line."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(14)
    n = 60
    pids, noise = rng.integers(1, 9, n), rng.standard_normal((n, 8))
    common = {"tracklet_ids": np.array([f"t{i}" for i in range(n)]), "pids": pids, "camids": rng.integers(0, 3, n)}
    common |= {"n_frames": np.full(n, 9), "is_query": np.arange(n) < 20, "is_gallery": np.ones(n, bool)}
    common |= {"sampling": "dense", "pooling": "mean", "frames_per_clip": 8}
    for seed, scale in ((0, 0.3), (1, 2.0)):
        embeddings = (rng.standard_normal((9, 8))[pids] + scale * noise).astype(np.float32)
        folder = root / f"run{seed}"
        (folder / "embeddings").mkdir(parents=True)
        np.savez(folder / "embeddings" / "dense.npz", embeddings=embeddings, **common)
        write_json(folder / "run.json", {"dataset": "demo", "split": "official", "seed": seed})
        done = reproid(
            "evaluate", "--embeddings", folder / "embeddings" / "dense.npz", "--protocol", "mars-standard", "--rankings", 3,
            "--inspect", folder / "inspection.json", "--family", folder / "family.json",
            "--resamples", 50, "--out", folder / "metrics" / "mars-standard.json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return root


def test_evaluate_writes_what_was_asked_for_beside_the_metrics(runs) -> None:
    names = sorted(path.name.removeprefix("mars-standard.") for path in (runs / "run0" / "metrics").iterdir())
    assert names == ["json", "queries.parquet", "rankings.parquet"]
    assert read_json(runs / "run0" / "inspection.json")["camera_pairs"]["cameras"] == [0, 1, 2]
    family = read_json(runs / "run0" / "family.json")
    assert (len(family["protocols"]), family["skipped"], family["made_with"]["seed"]) == (7, [], 0)
    assert family["protocols"][0]["map"] == read_json(runs / "run0" / "metrics" / "mars-standard.json")["map"]


def test_evaluate_takes_split_and_seed_from_run_json(runs) -> None:
    made = read_json(runs / "run1" / "metrics" / "mars-standard.json")["made_with"]
    assert (made["dataset"], made["split"], made["seed"], made["sampling"]) == ("demo", "official", 1, "dense")


def test_evaluate_reranked_is_labelled_and_options_beat_run_json(runs, tmp_path) -> None:
    done = reproid(
        "evaluate", "--embeddings", runs / "run0" / "embeddings" / "dense.npz", "--protocol", "mars-standard", "--rerank",
        "--rerank-k1", 9, "--rerank-k2", 3, "--split", "dal-2018-4", "--seed", 7, "--resamples", 0, "--out", tmp_path / "m.json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    content = read_json(tmp_path / "m.json")
    assert content["reranking"] == {"method": "k-reciprocal", "k1": 9, "k2": 3, "weight": 0.3}
    assert (content["made_with"]["split"], content["made_with"]["seed"], content["ci95"]) == ("dal-2018-4", 7, {})
    assert "mars-standard, re-ranked: mAP" in done.stdout


def test_aggregate_seeds_reports_both_counts(runs, tmp_path) -> None:
    files = [runs / f"run{seed}" / "metrics" / "mars-standard.json" for seed in (0, 1)]
    done = reproid("aggregate", *files, "--out", tmp_path / "a.json", "--resamples", 50)
    assert (done.returncode, done.stderr) == (0, "")
    content = read_json(tmp_path / "a.json")
    assert content["map"] == pytest.approx(np.mean([read_json(path)["map"] for path in files]))
    assert content["counts"] == {"splits": 1, "splits_expected": 1, "seeds": 2}
    assert f"mAP {100 * content['map']:.2f} +- {100 * content['sd_over_seeds']['map']:.2f}" in done.stdout
    assert "(2 seeds, 1 splits)" in done.stdout


def test_aggregate_the_same_file_twice_is_one_line(runs, tmp_path) -> None:
    path = runs / "run0" / "metrics" / "mars-standard.json"
    done = reproid("aggregate", path, path, "--out", tmp_path / "a.json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "the same split (official) and seed (0)" in done.stderr
    assert not (tmp_path / "a.json").exists()


def test_compare_writes_one_page(runs, tmp_path) -> None:
    done = reproid("compare", runs / "run0", runs / "run1", "--out", tmp_path / "c.html")
    assert (done.returncode, done.stderr) == (0, "")
    html = (tmp_path / "c.html").read_text()
    assert "run0 against run1" in html
    assert "http" not in html
    assert "queries flip at rank 1" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--protocol", "duke-standard"), "which metrics file?; expected duke-standard, got mars-standard."),
        (("--index", "x"), "pictures need both --index and --data; got --index alone."),
    ],
    ids=["protocol", "index alone"],
)
def test_compare_mistake_is_one_line_and_exit_code_2(runs, tmp_path, options, message) -> None:
    done = reproid("compare", runs / "run0", runs / "run1", *options, "--out", tmp_path / "c.html")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert message in done.stderr


@pytest.mark.parametrize("command", ["evaluate", "aggregate", "compare"])
def test_help_has_examples(command) -> None:
    done = reproid(command, "--help")
    assert "Examples:" in done.stdout


def test_retrieval_imports_neither_torch_nor_numba() -> None:
    code = (
        "import sys, reproid.retrieval.page, reproid.retrieval.aggregate, reproid.retrieval.inspection; "
        "print(sorted({'torch', 'numba', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
