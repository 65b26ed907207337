"""PSFormer-B against ViT-B and ResNet-50 at the paper's size, in one run.

`python benchmarks/psformer.py --out benchmarks/psformer.json`; minutes on a CPU.

Weights are random, so the two decisions that a trained model would take are set on the timed clips: the last bias of W_sel so
that the fitted share of patches is kept, and the threshold s so that the model has at least 23.0 GMACs per clip by the
project's own counter. Both are real decisions: which patches and which gates is up to scores and distances, and frames keep
different numbers. PSFormer's time includes the selection and what a group of pictures needs beside its motion: the index of
each patch and the residual. Models take turns, and medians are compared; with one thread, CPU time tells them apart on a
machine that does other things too.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from _measure import machine
from torch.nn.functional import avg_pool2d, interpolate

from reproid.catalog.catalog import load_catalog
from reproid.clips.clip import Clip
from reproid.cost.counter import count_macs
from reproid.files import write_json
from reproid.gop import Extractor
from reproid.models.base import ClipModel
from reproid.models.psformer.model import PSFormer
from reproid.models.psformer.patches import clip_patches
from reproid.models.registry import create_model

NAMES = ("vit-b", "resnet50", "psformer-b")
GMACS = 23.0
FRAMES, HEIGHT, WIDTH = 8, 256, 128


def moving_clips(batch: int, device: torch.device) -> tuple[Clip, float]:
    """Return clips of a smooth picture that drifts and flickers, and the ms per clip of the search for their motion."""
    generator = torch.Generator().manual_seed(0)
    picture = interpolate(torch.rand(batch, 3, 40, 24, generator=generator), (HEIGHT + 64, WIDTH + 64), mode="bilinear")
    picture = picture + 0.15 * avg_pool2d(torch.randn(picture.shape, generator=generator), 3, 1, 1)
    views = [picture[:, :, 3 * t : 3 * t + HEIGHT, 2 * t : 2 * t + WIDTH] for t in range(FRAMES)]
    flicker = 0.03 * torch.randn(batch, FRAMES, 3, HEIGHT, WIDTH, generator=generator)
    frames = (255 * (torch.stack(views, dim=1) + flicker)).clamp(0, 255).to(torch.uint8)
    extract = Extractor("block-matching")
    extract(frames[0].permute(0, 2, 3, 1))  # compiles
    began = time.perf_counter()
    found = [extract(clip.permute(0, 2, 3, 1)) for clip in frames]
    ms = 1000 * (time.perf_counter() - began) / batch
    clip = Clip(
        frames=frames,
        pid=torch.arange(batch) // 2,
        camid=torch.zeros(batch, dtype=torch.int64),
        n_real=torch.full((batch,), FRAMES),
        tracklet_id=tuple(map(str, range(batch))),
        motion=torch.stack([one.motion for one in found]),
        valid=torch.stack([one.valid for one in found]),
    )
    return clip.to(device), ms


@torch.inference_mode()
def settle(model: PSFormer, clip: Clip, kept: float) -> dict[str, float]:
    """Set the bias of the score and the threshold on these clips; return what comes out per clip."""
    assert model.selection is not None
    last = model.selection.score[-1]
    assert isinstance(last, torch.nn.Linear)
    ready = clip.ready(clip.frames.device)
    patches = clip_patches(ready, model.normalize, model.options)

    def share(bias: float) -> float:
        assert model.selection is not None
        torch.nn.init.constant_(last.bias, bias)
        return float(model.selection(patches).mask[:, 1:].float().mean())

    share(_bisect(lambda bias: share(bias) >= kept, -20.0, 20.0))
    counts: dict[float, float] = {}

    def gmacs(threshold: float) -> float:
        model.threshold = threshold
        counts[threshold] = count_macs(model, ready).total / len(clip) / 1e9
        return counts[threshold]

    assert model.encoder is not None
    closed = model.encoder(patches, model.selection(patches), threshold=2.0)
    low, high = torch.stack(closed.distances).flatten().quantile(torch.tensor([0.4, 0.999], device=clip.frames.device)).tolist()
    threshold = _bisect(lambda s: gmacs(-s) >= GMACS, -high, -low, steps=8)
    gmacs(-threshold)
    model.threshold = -threshold
    metrics = {name: float(value) for name, value in model(ready).metrics.items()}
    kept_shares = [value for name, value in metrics.items() if name.startswith("kept")]
    opened = [value for name, value in metrics.items() if name.startswith("open")]
    return {
        "gmacs": counts[-threshold],
        "kept_share": statistics.mean(kept_shares),
        "kept_share_lowest_frame": min(kept_shares),
        "kept_share_highest_frame": max(kept_shares),
        "open_share": statistics.mean(opened),
        "threshold": model.threshold,
    }


def _bisect(enough: Callable[[float], bool], low: float, high: float, steps: int = 14) -> float:
    """Return about the smallest value that is enough; ``high`` is."""
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def passes(models: dict[str, ClipModel], clip: Clip, repeats: int, precise: bool) -> dict[str, Any]:
    """Return each model's median wall and CPU ms per clip of an inference."""

    def infer(model: ClipModel) -> None:
        with torch.inference_mode(), _precision(clip, precise):
            model(_input(model, clip))

    return in_turns({name: partial(infer, model) for name, model in models.items()}, clip, repeats)


def steps(models: dict[str, ClipModel], clip: Clip, repeats: int, precise: bool) -> dict[str, Any]:
    """Return the same of a forward and a backward pass in training."""

    def learn(model: ClipModel) -> None:
        model.train().zero_grad(set_to_none=True)
        with _precision(clip, precise):
            output = model(_input(model, clip))
        torch.autograd.backward(output.logits[0].float().logsumexp(dim=1).mean() + sum(output.losses.values()))
        model.eval().zero_grad(set_to_none=True)

    return in_turns({name: partial(learn, model) for name, model in models.items()}, clip, repeats)


def _input(model: ClipModel, clip: Clip) -> Clip:
    """Return the clip with its residual made, or without motion for a model that needs none."""
    return clip.ready(clip.frames.device) if isinstance(model, PSFormer) else replace(clip, motion=None, valid=None)


def in_turns(acts: dict[str, Callable[[], None]], clip: Clip, repeats: int) -> dict[str, Any]:
    """Return the median wall and CPU ms per clip of acts that take turns, so that a busy moment of the machine meets all."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
    for turn in range(repeats + 1):
        for name, act in acts.items():
            _wait(clip)
            began = time.perf_counter(), time.process_time()
            act()
            _wait(clip)
            if turn:  # the first is warm-up
                times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    medians = {
        name: [1000 * statistics.median(column) / len(clip) for column in zip(*rows, strict=True)] for name, rows in times.items()
    }
    return {name: {"wall_ms": round(wall, 2), "cpu_ms": round(cpu, 2)} for name, (wall, cpu) in medians.items()}


def parts(model: PSFormer, clip: Clip, precise: bool) -> dict[str, float]:
    """Return the wall ms per clip of PSFormer's parts, one behind the other."""
    assert model.selection is not None
    assert model.encoder is not None
    found: dict[str, float] = {}

    def clocked(name: str, act: Callable[[], Any]) -> Any:
        act()
        _wait(clip)
        began = time.perf_counter()
        result = act()
        _wait(clip)
        found[name] = round(1000 * (time.perf_counter() - began) / len(clip), 2)
        return result

    selection, encoder = model.selection, model.encoder
    with torch.inference_mode(), _precision(clip, precise):
        ready = clocked("index and residual", lambda: clip.ready(clip.frames.device))
        patches = clocked("patches", lambda: clip_patches(ready, model.normalize, model.options))
        selected = clocked("selection", lambda: selection(patches))
        clocked("transformer", lambda: encoder(patches, selected, threshold=model.threshold))
    return found


def _precision(clip: Clip, precise: bool) -> AbstractContextManager[Any]:
    return nullcontext() if precise else torch.autocast(clip.frames.device.type, dtype=torch.bfloat16)


def _wait(clip: Clip) -> None:
    if clip.frames.is_cuda:
        torch.cuda.synchronize()


def measure(batch: int, arguments: argparse.Namespace, device: torch.device, precise: bool) -> dict[str, Any]:
    """Return the figures of one batch size."""
    catalog = load_catalog()
    options = {name: catalog.resolve(f"psformer/{name}", scaled=False) for name in NAMES}
    models = {name: create_model(one.method, one.options, classes=625, seed=0).eval().to(device) for name, one in options.items()}
    sparse = models["psformer-b"]
    assert isinstance(sparse, PSFormer)
    clip, search_ms = moving_clips(batch, device)
    settled = settle(sparse, clip, sparse.options.stated_kept)
    assert settled["gmacs"] >= GMACS
    times = passes(models, clip, arguments.repeats, precise)
    clock = "wall_ms" if device.type == "cuda" or arguments.threads > 1 else "cpu_ms"
    found: dict[str, Any] = {
        "batch": batch,
        "precision": "float32" if precise else "bfloat16",
        "psformer-b": settled,
        "ms_per_clip": times,
        "ratios": {
            "clock": clock,
            "vit-b over psformer-b": round(times["vit-b"][clock] / times["psformer-b"][clock], 3),
            "resnet50 over psformer-b": round(times["resnet50"][clock] / times["psformer-b"][clock], 3),
        },
        "parts_ms": parts(sparse, clip, precise),
        "motion_search_ms": round(search_ms, 2),
    }
    if 1 < batch <= arguments.train_up_to:
        of_step = steps({name: models[name] for name in ("vit-b", "psformer-b")}, clip, arguments.repeats, precise)
        found["training_step_ms"] = of_step
        found["ratios"]["vit-b over psformer-b, training step"] = round(of_step["vit-b"][clock] / of_step["psformer-b"][clock], 3)
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, action="append")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--train-up-to", type=int, default=0, help="largest batch, above 1, whose training step is timed")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(arguments.threads)
    about = machine() | {"device": device.type, "threads": arguments.threads, "torch": torch.__version__}
    if device.type == "cuda":
        about["gpu"] = torch.cuda.get_device_name()
    batches = arguments.batch or ([1, 8, 64] if device.type == "cuda" else [8])
    rows = [measure(batch, arguments, device, precise=device.type == "cpu") for batch in batches]
    write_json(arguments.out, {"machine": about, "batches": rows})


if __name__ == "__main__":
    main()
