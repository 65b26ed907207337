"""What PSFormer does on synthetic people: both stages beside the colour histogram, the eigenvector's masks, the gate's errors.

    python benchmarks/psformer_synthetic.py --out benchmarks/psformer_synthetic.json --processes 2

Sizes, settings and data are those of the suite `synthetic-small`; world and run have the same seed. The seeds were named before
anything was trained on them: settings were chosen on a world of another seed. Every world is rendered with its truth.

* Scores, as `mars-standard`: the histogram; `psformer-b` as it is between its stages, all patches passed (`without-selection`
  with those weights); `psformer-b` after both.
* IoU of y_1 > 0 and the true mask, before and after training, beside what sees the place of a patch alone and the best that whole
  patches can do. The sign of y_1 is the model's own rule, which sees neither image nor mask.
* Eq. 6: does the distance c grow with noise, before and after training.
"""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _gate_errors import gate_errors
from _measure import machine
from _person_masks import MaskedClips, by_colour, by_eigenvector, by_place, by_truth, mean_iou
from torch import Tensor

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.protocols import get_protocol
from reproid.catalog.runs import Run, make_run
from reproid.catalog.settings import Settings
from reproid.catalog.synthetic import RENDERER_REVISION
from reproid.clips.clip import Clip
from reproid.clips.datasets import TestClips
from reproid.clips.loader import load_batches
from reproid.datasets.index import Tracklet, load_index, write_index
from reproid.datasets.layouts import build_index
from reproid.files import write_json, write_text
from reproid.inference.embed import EmbedJob, embed, load_model
from reproid.models.checkpoint import save_tensors
from reproid.models.psformer.model import PSFormer
from reproid.models.registry import create_model
from reproid.retrieval.evaluation import Options, evaluate
from reproid.retrieval.inputs import read_embeddings
from reproid.synthetic.render import render_dataset
from reproid.training.run import TrainJob, train_run

SUITE, DATASET, PROTOCOL = "synthetic-small", "small-mars", "mars-standard"
SEEDS = (300, 301)
MARGIN = 0.05
"""How far both stages are to be above the histogram on every world, in mAP and in rank-1. Stated before the first result."""
SCORED = ("colour histogram", "first stage", "both stages")
GRIDS = ((8, 4), (16, 8))
"""Of 128x64 pixels, the images' own size, and of the paper's."""


def main() -> None:
    """Run everything and write one JSON file, anew after each world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    catalog = load_catalog(suite=SUITE)
    settings = {
        "colour histogram": catalog.resolve("controls/histogram"),
        "both stages": catalog.resolve("psformer/psformer-b"),
        "first stage": catalog.resolve("psformer/without-selection"),
    }
    declared = catalog.datasets[DATASET]
    assert isinstance(declared, SyntheticDataSet)
    result: dict[str, Any] = {
        "machine": machine(),
        "renderer_revision": RENDERER_REVISION,
        "spec": declared.spec.model_dump(mode="json", exclude={"seed", "truth"}),
        "settings": settings["both stages"].model_dump(mode="json"),
        "protocol": PROTOCOL,
        "margin": MARGIN,
        "worlds": [],
    }
    data = [_with_seed(declared, seed) for seed in arguments.seeds]
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        for world in pool.map(_one_world, data, arguments.seeds, [settings] * len(data)):
            result["worlds"].append(world)
            write_json(arguments.out, result | {"cpu_s": round(sum(os.times()[:4]))})
            print(world, flush=True)
    write_json(arguments.out, result | {"cpu_s": round(sum(os.times()[:4]))})  # with that of the processes, which have ended


def _with_seed(declared: SyntheticDataSet, seed: int) -> SyntheticDataSet:
    spec = declared.spec.model_copy(update={"seed": seed, "truth": True})
    return declared.model_copy(update={"spec": spec})


def _one_world(data: SyntheticDataSet, seed: int, settings: dict[str, Settings]) -> dict[str, Any]:
    """Return all figures of the world of one seed."""
    out: dict[str, Any] = {"seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        render_dataset(data.spec, root / "data", layout=data.layout)
        write_index(build_index(DATASET, root / "data", layout=data.layout), root / "index")
        runs = {
            name: make_run(chosen, dataset=DATASET, data=data, split="official", seed=seed, revision=1)
            for name, chosen in settings.items()
        }
        first: dict[str, Tensor] = {}
        for name in ("colour histogram", "both stages"):
            with _kept_between_stages(first):
                train_run(_job(runs[name], root))
        _write_first_stage(first, runs["first stage"], root, classes=data.spec.train_persons)
        out["scores"] = {name: _scores(runs[name], root) for name in SCORED}
        run, queries = runs["both stages"], load_index(root / "index").tracklets("query", "official")
        trained = load_model(run, root / run.run_id / "model.safetensors")
        untrained = create_model(run.settings.method, run.settings.options, classes=data.spec.train_persons, seed=seed).eval()
        models: dict[str, torch.nn.Module] = {"untrained": untrained, "trained": trained}
        out["iou"] = _ious(models, MaskedClips(tracklets=queries, data=root / "data", frames=run.settings.clips.frames))
        out["gate"] = {name: _gate(_psformer(model), _clips(queries, root, run)) for name, model in models.items()}
    return out


def _job(run: Run, folder: Path) -> TrainJob:
    out = folder / run.run_id
    return TrainJob(run=run, index=folder / "index", data=folder / "data", out=out, state=folder / "state", workers=0)


@contextlib.contextmanager
def _kept_between_stages(into: dict[str, Tensor]) -> Iterator[None]:
    """Put a copy of a PSFormer's blocks into ``into`` when its second stage begins, named as in the model without selection."""
    begin = PSFormer.begin_epoch

    def keep(model: PSFormer, epoch: int, epochs: int) -> None:
        begin(model, epoch, epochs)
        if not model.all_patches and not into:
            renamed = {name.replace("encoder.backbone.", "dense."): value for name, value in model.state_dict().items()}
            into.update({name: value.clone() for name, value in renamed.items() if name.startswith(("dense.", "neck."))})

    with patch.object(PSFormer, "begin_epoch", keep):
        yield


def _write_first_stage(weights: dict[str, Tensor], run: Run, folder: Path, *, classes: int) -> None:
    """Write a run's folder with the weights between the stages."""
    out = folder / run.run_id
    write_text(out / "run.json", run.model_dump_json())
    about = {"method": run.settings.method, "revision": run.revision, "classes": classes, "run_id": run.run_id}
    save_tensors(out / "model.safetensors", weights, about)


def _scores(run: Run, folder: Path) -> dict[str, float]:
    """Return what a trained run scores, described and evaluated as the workflow does it."""
    out = folder / run.run_id
    embed(EmbedJob(run=out, index=folder / "index", data=folder / "data", out=out / "dense.npz", workers=0))
    found = evaluate(read_embeddings(out / "dense.npz"), get_protocol(PROTOCOL), Options(resamples=0))
    return {"map": round(found.map, 5), "rank1": round(found.rank(1), 5)}


def _ious(models: dict[str, torch.nn.Module], clips: MaskedClips) -> dict[str, dict[str, float]]:
    """Return grid -> way -> mean IoU."""
    out = {}
    for grid in GRIDS:
        finders = {"place alone": by_place(grid), "pixels": by_colour(grid), "bound": by_truth(grid)}
        for name, model in models.items():
            selection = _psformer(model).selection
            assert selection is not None
            assert selection.volume is not None
            finders[name] = by_eigenvector(selection.volume, grid)
            finders[f"{name}, sign by the mask"] = by_eigenvector(selection.volume, grid, sign_of_truth=True)
        out[f"{grid[0]}x{grid[1]}"] = {name: round(mean_iou(clips, grid, find), 4) for name, find in finders.items()}
    return out


def _gate(model: PSFormer, clips: Iterator[Clip]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(gate_errors(model, clips)).items()}


def _clips(tracklets: tuple[Tracklet, ...], folder: Path, run: Run) -> Iterator[Clip]:
    """Yield batches of the tracklets' first clips, groups of pictures complete."""
    settings = run.settings
    embed_first = settings.embed.model_copy(update={"max_clips": 1})
    source = TestClips(tracklets, data=folder / "data", clips=settings.clips, embed=embed_first, gop=settings.gop)
    batches = np.array_split(np.arange(len(source)), -(-len(source) // 32))
    for clip in load_batches(source, [batch.tolist() for batch in batches], workers=0):
        yield clip.ready("cpu")


def _psformer(model: torch.nn.Module) -> PSFormer:
    assert isinstance(model, PSFormer)
    return model


if __name__ == "__main__":
    main()
