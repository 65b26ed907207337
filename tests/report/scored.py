"""Runs with real metrics files: random embeddings, scored and inspected as the workflow does it."""

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from report.made import Made
from reproid.catalog.plan import PlannedMetrics
from reproid.catalog.protocols import get_protocol
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.family import score_family, write_family
from reproid.retrieval.inputs import read_embeddings, with_run
from reproid.retrieval.inspection import inspect, write_inspection

PERSONS = 12


def score(made: Made, entry: PlannedMetrics, *, noise: float = 1.0, look: bool = True) -> Path:
    """Write a finished run with embeddings, metrics and, where asked to, inspection and family; return the metrics file."""
    made.finish(entry.run)
    folder = made.results / entry.run.folder
    path = folder / "embeddings" / "dense.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(entry.run.run_id.encode()))
    pids, camids = (part.ravel() for part in np.mgrid[1 : PERSONS + 1, 0:4])
    centres = np.random.default_rng(0).standard_normal((PERSONS + 1, 6))
    np.savez(
        path,
        embeddings=(centres[pids] + noise * rng.standard_normal((len(pids), 6))).astype(np.float32),
        tracklet_ids=np.array([f"{pid:04d}C{camid + 1}T0001" for pid, camid in zip(pids, camids, strict=True)]),
        pids=pids,
        camids=camids,
        n_frames=rng.integers(4, 90, len(pids)),
        is_query=camids == 0,
        is_gallery=np.ones(len(pids), bool),
        sampling="dense",
        pooling="mean",
        frames_per_clip=4,
    )
    file = read_embeddings(path)
    source = replace(file, made=with_run(file.made, path))
    options = Options(resamples=100, threads=1)
    evaluation = evaluate(source, get_protocol(entry.protocol), options)
    if look:
        write_inspection(inspect(source, evaluation, threads=1), folder / "inspection" / f"{entry.protocol}.json")
        write_family(score_family(source, evaluation, options), folder / "families" / f"{entry.protocol}.json")
    write_evaluation(evaluation, made.results / entry.path)
    return made.results / entry.path
