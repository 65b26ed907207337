"""One measurement, from its plan to its file: MACs counted and computed by hand, parameters, time, memory, hardware."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from reproid.catalog.costs import SCHEMA, PlannedCost
from reproid.cost.counter import count_macs
from reproid.cost.timing import Timing, random_clip, time_model
from reproid.errors import InputError
from reproid.files import write_json
from reproid.models.base import ClipModel
from reproid.models.macs import ClipSize, Macs, formula_of
from reproid.models.registry import create_model, declared_method
from reproid.training.manifest import hardware, peak_memory_mib

TOLERANCE = 0.01
"""Counter and formula must agree within this share."""


@dataclass(frozen=True, kw_only=True)
class CostJob:
    """A planned measurement, and how and where."""

    plan: PlannedCost
    out: Path
    """The file to write."""
    device: str
    """cpu or cuda."""
    threads: int = 1
    """Of torch on the CPU."""


def measure(job: CostJob) -> dict[str, Any]:
    """Measure a method and write the file; returns its content.

    The classifier, which no test uses, is neither counted nor among the parameters.

    Raises:
        InputError: if the counter and the formula disagree, the options fit no model, or there is no such device.
    """
    plan = job.plan
    device = _device(job.device)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    size = ClipSize(frames=plan.frames, height=plan.height, width=plan.width)
    with torch.device("meta"):  # shapes without numbers: a pass counts in no time
        shapes = _model(plan)
        counted = count_macs(shapes, random_clip(1, size, empty=True, gop=_needs_gop(plan)))
    formula = formula_of(plan.method, plan.options, size)
    _compare(plan.method, counted, formula)
    timings = _timings(plan, size, device, job.threads)
    content = {
        "schema": SCHEMA,
        "plan": plan.model_dump(mode="json"),
        **_in_giga(counted),
        "formula": _in_giga(formula),
        "parameters": count_parameters(shapes),
        "ms_per_video": next((timing.ms_per_video for timing in timings if timing.batch == 1), None),
        "timings": [asdict(timing) for timing in timings],
        "peak_memory_mib": peak_memory_mib(),
        "started": started,
        "device": device.type,
        "threads": job.threads,
        "hardware": {name: value for name, value in asdict(hardware()).items() if value is not None},
        "packages": {name: metadata.version(name) for name in ("timm", "torch")},
    }
    write_json(job.out, content)
    return content


def count_parameters(model: ClipModel) -> int:
    """Return how many numbers a model has learnt for the test: all parameters but those of the classifiers."""
    return sum(parameter.numel() for name, parameter in model.named_parameters() if "classifier" not in name.split("."))


def _model(plan: PlannedCost) -> ClipModel:
    model = create_model(plan.method, plan.options, classes=1, seed=0)
    model.state_cost()
    return model


def _needs_gop(plan: PlannedCost) -> bool:
    return "gop" in declared_method(plan.method).requires


def _timings(plan: PlannedCost, size: ClipSize, device: torch.device, threads: int) -> tuple[Timing, ...]:
    if not plan.settings.batches:
        return ()
    torch.set_num_threads(threads)
    return time_model(_model(plan), size, plan.settings, device, gop=_needs_gop(plan))


def _in_giga(macs: Macs) -> dict[str, float]:
    return {"gmacs": round(macs.total / 1e9, 6), "gmacs_without_attention": round(macs.weights / 1e9, 6)}


def _compare(method: str, counted: Macs, formula: Macs) -> None:
    for what, ours, theirs in (
        ("MACs", counted.total, formula.total),
        ("MACs without attention", counted.weights, formula.weights),
    ):
        if abs(ours - theirs) > TOLERANCE * theirs:
            raise InputError(
                f"counted {what} and those of the formula differ by more than {100 * TOLERANCE:g} %",
                where=f"method '{method}'",
                expected=theirs,
                got=ours,
                fix="One of reproid/cost/counter.py and the method's macs.py is wrong",
            )


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("no GPU that torch can use", where="device cuda", fix="Take --device cpu")
    return torch.device(name)
