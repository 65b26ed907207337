"""Benchmark of the renderer: frames per second and core, drawing, encoding as JPEG and writing included.

    python benchmarks/synthetic.py --out benchmarks/synthetic.json     about half a minute on one core

Sizes are measured in one process, in rounds of the same tracklets; the best round counts, in CPU time. The goal is 300 frames per
second and core at 128 x 256. The first call's time, in a fresh process, holds the import and the loading of the compiled code.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _measure import machine

from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.files import write_json
from reproid.synthetic._work import render_tracklet
from reproid.synthetic.layouts import layout_writer
from reproid.synthetic.plan import make_world

SIZES = ((256, 128), (128, 64), (64, 32))
GOAL = 300
FIRST_CALL = """
import time
started = time.perf_counter()
from reproid.catalog.synthetic import SyntheticSpec
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world
world = make_world(SyntheticSpec())
next(iter(draw_frames(world, world.tracklets[0])))
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure everything and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    result: dict[str, Any] = {
        "machine": machine(),
        "renderer_revision": RENDERER_REVISION,
        "goal_frames_per_s": GOAL,
        "sizes": [],
    }
    for height, width in SIZES:
        for truth in (False, True):
            rate = frames_per_second(SyntheticSpec(height=height, width=width, cameras=6, truth=truth), arguments.rounds)
            result["sizes"].append({"height": height, "width": width, "truth": truth, "frames_per_cpu_s": round(rate, 1)})
            print(f"{height} x {width}, truth {truth}: {rate:,.0f} frames per second and core")
    result["first_call_s"] = {"code cached": first_call(), "code compiled": first_call(fresh=True)}
    print(f"first call: {result['first_call_s']}")
    write_json(arguments.out, result)


def frames_per_second(spec: SyntheticSpec, rounds: int) -> float:
    """Return frames per second of CPU time, of the best round over 40 tracklets."""
    world, writer = make_world(spec), layout_writer("mars")
    tracklets = world.tracklets[:40]
    frames = sum(t.frames for t in tracklets)
    best = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds + 1):  # the first round loads the compiled code and paints the scenes
            started = time.process_time()
            for tracklet in tracklets:
                render_tracklet(world, tracklet, Path(folder), writer)
            best = max(best, frames / (time.process_time() - started))
    return best


def first_call(*, fresh: bool = False) -> float:
    """Return the seconds until a fresh process has drawn its first frame; ``fresh``: with an empty cache of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, **({"NUMBA_CACHE_DIR": cache} if fresh else {})}
        done = subprocess.run([sys.executable, "-c", FIRST_CALL], env=environment, check=True, capture_output=True, text=True)
    return round(float(done.stdout), 2)


if __name__ == "__main__":
    main()
