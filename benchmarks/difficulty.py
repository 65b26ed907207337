"""How hard the synthetic world is: the controls and ResNet-50, ten times over, each time on another world with another seed.

    python benchmarks/difficulty.py --out benchmarks/difficulty.json

Persons, cameras, sizes, settings and scoring are those of the suite `demo` and of its data set. World and run have the same seed,
100 to 109: none of them is the seed of a declared set. No method of a paper takes part. A quarter of an hour of one core.
"""

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _measure import machine

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.protocols import get_protocol
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Settings
from reproid.catalog.synthetic import RENDERER_REVISION
from reproid.datasets.index import write_index
from reproid.datasets.layouts import build_index
from reproid.files import write_json
from reproid.inference.embed import EmbedJob, embed
from reproid.retrieval.evaluation import Evaluation, Options, evaluate
from reproid.retrieval.inputs import read_embeddings
from reproid.synthetic.render import render_dataset
from reproid.training.run import TrainJob, train_run

DATASET, PROTOCOL, FIRST_SEED = "demo-mars", "mars-standard", 100
EXPERIMENTS = {
    "random": "controls/random",
    "camera": "controls/camera",
    "untrained ResNet-50": "controls/resnet50-untrained",
    "colour histogram": "controls/histogram",
    "trained ResNet-50": "psformer/resnet50",
    "oracle": "controls/oracle",
}
METRICS = ("map", "rank1")


def main() -> None:
    """Run everything and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    about = machine()
    catalog = load_catalog(suite="demo")
    settings = {name: catalog.resolve(experiment) for name, experiment in EXPERIMENTS.items()}
    declared = catalog.datasets[DATASET]
    assert isinstance(declared, SyntheticDataSet)
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    data = [declared.model_copy(update={"spec": declared.spec.model_copy(update={"seed": seed})}) for seed in seeds]
    worlds = []
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        for seed, scores in zip(seeds, pool.map(_one_world, data, seeds, [settings] * len(data)), strict=True):
            worlds.append({"seed": seed, **scores})
            shown = ", ".join(f"{name} {value:.1%}" for name, value in scores["rank1"].items())
            print(f"seed {seed}, rank-1: {shown}", flush=True)
    result = {
        "machine": about,
        "renderer_revision": RENDERER_REVISION,
        "spec": declared.spec.model_dump(mode="json", exclude={"seed"}),
        "protocol": PROTOCOL,
        "epochs": settings["trained ResNet-50"].train.epochs,
        "cpu_s": round(sum(os.times()[:4])),
        "rows": {name: _row(worlds, name) for name in ("chance", *EXPERIMENTS)},
        "worlds": worlds,
    }
    write_json(arguments.out, result)


def _one_world(data: SyntheticDataSet, seed: int, settings: dict[str, Settings]) -> dict[str, dict[str, float]]:
    """Return metric -> row -> value on the world of one seed; the row "chance" holds what is expected of a random order."""
    out: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    with tempfile.TemporaryDirectory() as folder:
        render_dataset(data.spec, Path(folder) / "data", layout=data.layout)
        write_index(build_index(DATASET, Path(folder) / "data", layout=data.layout), Path(folder) / "index")
        for name, chosen in settings.items():
            run = make_run(chosen, dataset=DATASET, data=data, split="official", seed=seed, revision=1)
            scores = _scores(run, Path(folder))
            for metric in METRICS:
                out[metric].setdefault("chance", round(scores.chance[metric], 5))
                out[metric][name] = round(scores.map if metric == "map" else scores.rank(1), 5)
    return out


def _scores(run: Run, folder: Path) -> Evaluation:
    """Return what a run scores: trained, described and evaluated as the workflow does it."""
    out = folder / run.run_id
    train_run(TrainJob(run=run, index=folder / "index", data=folder / "data", out=out, state=folder / "state", workers=0))
    embed(EmbedJob(run=out, index=folder / "index", data=folder / "data", out=out / "dense.npz", workers=0))
    return evaluate(read_embeddings(out / "dense.npz"), get_protocol(PROTOCOL), Options(resamples=0))


def _row(worlds: list[dict[str, Any]], name: str) -> dict[str, dict[str, float]]:
    """Return metric -> mean, standard deviation, least and most over the worlds."""
    values = {metric: np.array([world[metric][name] for world in worlds]) for metric in METRICS}
    return {
        metric: {
            "mean": round(float(v.mean()), 4),
            "sd": round(float(v.std(ddof=1)), 4) if len(v) > 1 else 0.0,
            "least": float(v.min()),
            "most": float(v.max()),
        }
        for metric, v in values.items()
    }


if __name__ == "__main__":
    main()
