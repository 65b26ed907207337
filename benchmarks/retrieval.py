"""Benchmark of the evaluation: counting ranks against sorting rows, streaming, intervals, re-ranking, the first call.

    python benchmarks/retrieval.py --out benchmarks/retrieval.json     about two minutes on two cores

Times are the best of several runs on this machine, in one process; compare the ratios, not the seconds. torchreid's Python
evaluator is measured where the package is installed (pip install torchreid), and reported as absent elsewhere.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from _measure import machine, measure
from _problem import embeddings, synth

from reproid.catalog.protocols import get_protocol
from reproid.files import write_json
from reproid.retrieval.distances import EmbeddingDistances, MatrixDistances
from reproid.retrieval.intervals import bootstrap_means, by_person
from reproid.retrieval.ranks import rank_matches, usable_cores
from reproid.retrieval.rerank import RerankedDistances, Reranking
from reproid.retrieval.scores import cmc, score_queries
from reproid.retrieval.tracklets import Selection, Tracklets, select

EMBEDDING_SIZE = 512
SIZES = ((1_000, 10_000), (3_000, 30_000), (10_000, 100_000))
FIRST_CALL = """
import json, time
started = time.process_time()
import reproid.retrieval.evaluation
imported = time.process_time()
import numpy as np
from reproid.catalog.protocols import get_protocol
from reproid.retrieval.distances import EmbeddingDistances, MatrixDistances
from reproid.retrieval.ranks import rank_matches
from reproid.retrieval.tracklets import Tracklets, select
pids = np.arange(8) % 4
sides = [Tracklets(ids=pids.astype(str), pids=pids, camids=np.full(8, camera)) for camera in (0, 1)]
selection = select(get_protocol("mars-standard"), *sides)
rank_matches(EmbeddingDistances(np.eye(8, dtype=np.float32), np.eye(8, dtype=np.float32), "cosine"), selection, threads=1)
rank_matches(MatrixDistances(np.eye(8, dtype=np.float32), np.arange(8), np.arange(8)), selection, threads=1)
print(json.dumps({"import_s": imported - started, "first_evaluation_s": time.process_time() - imported}))
"""


def main() -> None:
    """Measure everything and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="leave out the largest size and re-ranking")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"machine": machine(), "embedding_size": EMBEDDING_SIZE}
    steps: dict[str, Callable[[], Any]] = {
        "synth": measure_synth,
        "first_call": measure_first_call,
        "bootstrap": measure_bootstrap,
        "streaming": lambda: measure_streaming(SIZES[:-1] if arguments.quick else SIZES),
    }
    if not arguments.quick:
        steps["reranking"] = measure_reranking
    for name, step in steps.items():
        results[name] = step()
        print(name, json.dumps(results[name]), file=sys.stderr)
    write_json(arguments.out, results)


def measure_synth() -> dict[str, Any]:
    """Compare evaluators on the same matrix of MARS's size, one thread; ratios are of CPU time, np.argsort is 1."""
    problem = synth()
    distances, q_pids, g_pids, q_cams, g_cams = problem
    selection = _selection(q_pids, g_pids, q_cams, g_cams)

    def ours(threads: int) -> tuple[float, float]:
        ranks = rank_matches(MatrixDistances(distances, selection.query_rows, selection.gallery_rows), selection, threads=threads)
        scores = score_queries(ranks)
        return float(scores.ap.mean()), float(cmc(scores.first_hit, longest=ranks.longest)[0])

    ours(1)  # compiles
    runs = {
        "reproid, 1 thread": measure(lambda: ours(1)),
        "reproid, all cores": measure(lambda: ours(usable_cores())),
        "np.argsort alone": measure(lambda: np.argsort(distances, axis=1)),
        "a sort and a loop per query, numpy": measure(lambda: sort_and_loop(*problem), repeats=1),
    }
    if importlib.util.find_spec("torchreid") is not None:
        from torchreid.metrics.rank import eval_market1501

        runs["torchreid, Python"] = measure(lambda: eval_market1501(distances, q_pids, g_pids, q_cams, g_cams, 50), repeats=1)
    base = runs["np.argsort alone"].cpu_s
    average, rank1 = ours(1)
    return {
        "map": average,
        "rank1": rank1,
        "difference_to_sort_and_loop": abs(average - sort_and_loop(*problem)),
        "torchreid": "measured" if "torchreid, Python" in runs else "not installed",
        "runs": {name: {**_rounded(asdict(run)), "cpu_ratio": round(run.cpu_s / base, 3)} for name, run in runs.items()},
    }


def sort_and_loop(distances: Any, q_pids: Any, g_pids: Any, q_cams: Any, g_cams: Any) -> float:
    """Return the mAP as common Python evaluators compute it: every row sorted, then numpy on each query."""
    order = np.argsort(distances, axis=1, kind="stable")
    scores = []
    for i in range(len(q_pids)):
        row = order[i]
        keep = ~((g_pids[row] == q_pids[i]) & (g_cams[row] == q_cams[i]))
        hits = (g_pids[row] == q_pids[i])[keep]
        if hits.any():
            scores.append(float((np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)).mean()))
    return float(np.mean(scores))


def measure_first_call() -> dict[str, Any]:
    """Time importing and the first evaluation in a new process, with an empty cache of compiled code and with a filled one."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        runs = [
            subprocess.run([sys.executable, "-c", FIRST_CALL], env=environment, capture_output=True, check=True) for _ in "ab"
        ]
    compiled, cached = (_rounded(json.loads(run.stdout)) for run in runs)
    return {"cpu_s_compiling": compiled, "cpu_s_from_cache": cached}


def measure_bootstrap() -> dict[str, Any]:
    """Time 10,000 resamples of 626 persons with 1980 queries and six metrics."""
    rng = np.random.default_rng(0)
    persons = by_person(rng.random((1980, 6)), np.arange(1980) % 626)
    return _rounded(asdict(measure(lambda: bootstrap_means(persons, np.random.default_rng(0), resamples=10_000), repeats=3)))


def measure_streaming(sizes: tuple[tuple[int, int], ...]) -> list[dict[str, Any]]:
    """Time ranking from embeddings, cosine, all cores; beside it the block products alone, the part that is BLAS."""
    rows = []
    for queries, gallery in sizes:
        x, y, *labels = embeddings(queries, gallery, EMBEDDING_SIZE)
        selection = _selection(*labels)

        def rank(x: Any = x, y: Any = y, selection: Selection = selection) -> None:
            rank_matches(EmbeddingDistances(x, y, "cosine"), selection)

        def products(x: Any = x, y: Any = y) -> None:
            for start in range(0, len(x), 512):
                for first in range(0, len(y), 4096):
                    np.dot(x[start : start + 512], y[first : first + 4096].T)

        ranked, multiplied = measure(rank, repeats=1), measure(products, repeats=1)
        rows.append(
            {
                "queries": queries,
                "gallery": gallery,
                "input_mb": round((x.nbytes + y.nbytes) / 2**20, 1),
                **_rounded(asdict(ranked)),
                "cpu_ns_per_distance": round(1e9 * ranked.cpu_s / queries / gallery, 2),
                "cpu_ratio_to_products": round(ranked.cpu_s / multiplied.cpu_s, 2),
                "full_matrix_mb": round(queries * gallery * 4 / 2**20),
            }
        )
    return rows


def measure_reranking() -> dict[str, Any]:
    """Time k-reciprocal re-ranking at LS-VID's size: 3504 queries, 11333 gallery tracklets."""
    x, y, *labels = embeddings(3504, 11333, EMBEDDING_SIZE)
    selection = _selection(*labels)
    measured = measure(lambda: rank_matches(RerankedDistances(x, y, "cosine", settings=Reranking()), selection), repeats=1)
    return {**_rounded(asdict(measured)), "full_matrix_mb": round((3504 + 11333) ** 2 * 4 / 2**20)}


def _selection(q_pids: Any, g_pids: Any, q_cams: Any, g_cams: Any) -> Selection:
    sides = [Tracklets(ids=np.arange(len(p)).astype(str), pids=p, camids=c) for p, c in ((q_pids, q_cams), (g_pids, g_cams))]
    return select(get_protocol("mars-standard"), sides[0], sides[1])


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 3) for key, value in values.items()}


if __name__ == "__main__":
    main()
