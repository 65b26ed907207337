"""What the baselines of PSFormer's Table I cost: `python benchmarks/cost.py --out benchmarks/cost.json` (minutes on a CPU)."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from _measure import machine

from reproid.catalog.catalog import load_catalog
from reproid.catalog.costs import CostSettings
from reproid.catalog.plan import plan_cost
from reproid.cost.measure import CostJob, measure
from reproid.files import write_json

EXPERIMENTS = ("psformer/resnet50", "psformer/vit-b", "psformer/vit-s")
KEPT = ("gmacs", "gmacs_without_attention", "formula", "parameters", "ms_per_video", "timings", "peak_memory_mib")


def run(experiment: str, settings: CostSettings, device: str, threads: int) -> dict[str, Any]:
    """Return the figures of one experiment."""
    plan = plan_cost(load_catalog(), experiment, settings)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(CostJob(plan=plan, out=Path(folder) / "cost.json", device=device, threads=threads))
    return {name: found[name] for name in KEPT}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, action="append")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = CostSettings(batches=tuple(arguments.batch or (1, 8)), repeats=arguments.repeats)
    about = machine() | {"device": device, "threads": arguments.threads, "torch": torch.__version__}
    if device == "cuda":
        about["gpu"] = torch.cuda.get_device_name()
    rows = {name: run(name, settings, device, arguments.threads) for name in EXPERIMENTS}
    write_json(arguments.out, {"machine": about, "experiments": rows})


if __name__ == "__main__":
    main()
