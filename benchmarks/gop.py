"""Speed of groups of pictures, as ratios of CPU time in one run: 128 x 256, 8 frames, one core.

    python benchmarks/gop.py --out benchmarks/gop.json                          rendered people; about five minutes
    python benchmarks/gop.py --clips clips.npz --out FILE.json                  your own: array `clips`, uint8 [N, 8, 256, 128, 3]

The ways compared: every method of `reproid.gop` but the reference; x264 within the process at preset medium, a new encoder per
clip; and the naive way: frames written to temporary files, ffmpeg as a subprocess, vectors added up pixel by pixel in Python.
That needs the program ffmpeg (`apt-get install ffmpeg`); without it the row is left out. CPU time, children's included, the
best of several rounds, in which all ways take turns. The training step is forward and backward of ResNet-50 on 8 clips, on the
same core.
"""

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from _measure import machine
from numpy.typing import NDArray
from PIL import Image

from reproid._torchvision import ensure_ops
from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.files import write_json
from reproid.gop import Extractor, Method
from reproid.gop.warp import residual, warp
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world

METHODS: tuple[Method, ...] = ("h264-pairs", "h264-bstar", "h264-chain", "block-matching", "grid")
SPEC = SyntheticSpec(height=256, width=128, frames=(8, 8), short_tracklets=0, junk=0, distractors=0)
STEP_CLIPS = 8
Clip = NDArray[np.uint8]


def main() -> None:
    """Measure everything and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=Path, help=".npz with an array `clips`")
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clips = np.load(arguments.clips)["clips"] if arguments.clips else rendered(12)
    result = {
        "machine": machine(),
        "clips": len(clips),
        "source": "given" if arguments.clips else f"rendered people, revision {RENDERER_REVISION}",
        **measured(list(clips), arguments.rounds),
    }
    write_json(arguments.out, result)


def rendered(count: int) -> Clip:
    """Return clips of different persons, uint8 [N, 8, 256, 128, 3]."""
    world = make_world(SPEC)
    tracklets = world.tracklets[:: len(world.tracklets) // count][:count]
    return np.stack([np.stack([image for image, _ in draw_frames(world, tracklet)]) for tracklet in tracklets])


def measured(clips: list[Clip], rounds: int) -> dict[str, Any]:
    """Return times per clip in ms, PSNR in dB, and the ratios that are goals."""
    loaded = [torch.from_numpy(clip.transpose(0, 3, 1, 2).copy()).permute(0, 2, 3, 1) for clip in clips]  # as loaders have them
    ways: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {method: (Extractor(method), loaded) for method in METHODS}
    found = {method: [extract(clip) for clip in loaded] for method, (extract, _) in ways.items()}
    ways["x264 medium"] = (medium, clips)
    if shutil.which("ffmpeg"):
        ways["naive"] = (naive, clips[:4])
    ways["residual"] = (lambda gop: residual(gop.frames, warp(gop.frames[0], gop.motion)), found["h264-pairs"])
    times = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):  # in turn, so that a busy moment of the machine meets all
        for name, (way, inputs) in ways.items():
            times[name] = min(times[name], cpu_ms(way, inputs) / len(inputs))
    quality = {method: float(np.mean([psnr(gop.residual) for gop in gops])) for method, gops in found.items()}
    step = step_ms()
    pairs, matching = times["h264-pairs"], times["block-matching"]
    ratios = {
        "x264 medium / h264-pairs": times["x264 medium"] / pairs,
        "x264 medium / h264-bstar": times["x264 medium"] / times["h264-bstar"],
        "h264-pairs / block-matching": pairs / matching,
    }
    if "naive" in times:
        ratios["naive / h264-pairs"] = times["naive"] / pairs
        ratios["naive / h264-bstar"] = times["naive"] / times["h264-bstar"]
    return {
        "cpu_ms_per_clip": {name: round(value, 2) for name, value in times.items()},
        "psnr_db": {name: round(value, 2) for name, value in quality.items()},
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "training_step": {
            "clips": STEP_CLIPS,
            "cpu_s": round(step / 1e3, 2),
            "shares": {
                f"{method}, {workers} workers": round(times[method] * STEP_CLIPS / workers / step, 4)
                for method in ("h264-pairs", "block-matching")
                for workers in (2, 8)
            },
        },
    }


def cpu_ms(work: Callable[[Any], object], inputs: list[Any]) -> float:
    """Return the CPU time of ``work`` on every input, and of the processes that it started and waited for."""
    before = _cpu_s()
    for one in inputs:
        work(one)
    return (_cpu_s() - before) * 1e3


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def psnr(left: torch.Tensor) -> float:
    """Return the peak signal-to-noise ratio of the warp that leaves ``left``."""
    return float(10 * np.log10(255**2 / float((left**2).mean())))


def medium(clip: Clip) -> list[Any]:
    """Encode with x264 at its preset medium within the process, decode, take the vectors: a new encoder for every clip."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width, encoder.pix_fmt, encoder.time_base = *clip.shape[1:3], "yuv420p", Fraction(1, 25)
    encoder.thread_count, encoder.options = 1, {"preset": "medium"}
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count, decoder.options = 1, {"flags2": "+export_mvs"}
    packets = []
    for number, image in enumerate(clip):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [_vectors(frame) for frame in frames]


def naive(clip: Clip) -> NDArray[np.float64]:
    """Do it as scripts do: temporary images, ffmpeg as a subprocess, and a loop over pixels that adds vectors up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, image in enumerate(clip):
            Image.fromarray(image).save(folder / f"{number:03d}.png")
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(folder / "%03d.png"), "-c:v", "libx264", "-bf", "0", "-threads", "1"]
        subprocess.run([*command, "-pix_fmt", "yuv420p", str(folder / "clip.mp4")], check=True)
        with av.open(str(folder / "clip.mp4")) as container:
            container.streams.video[0].codec_context.options = {"flags2": "+export_mvs"}
            tables = [_vectors(frame) for frame in container.decode(video=0)]
    frames, height, width, _ = clip.shape
    motion = np.zeros((frames, height, width, 2))
    for t in range(1, frames):
        for vector in tables[t]:
            dx, dy = int(vector["motion_x"]) >> 2, int(vector["motion_y"]) >> 2
            top, left = int(vector["dst_y"]) - int(vector["h"]) // 2, int(vector["dst_x"]) - int(vector["w"]) // 2
            for y in range(max(top, 0), min(top + int(vector["h"]), height)):
                for x in range(max(left, 0), min(left + int(vector["w"]), width)):
                    before = motion[t - 1, min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
                    motion[t, y, x, 0], motion[t, y, x, 1] = before[0] + dx, before[1] + dy
    return motion


def _vectors(frame: Any) -> Any:
    data = frame.side_data.get("MOTION_VECTORS")
    return [] if data is None else data.to_ndarray()


def step_ms() -> float:
    """Return the CPU time of a training step of ResNet-50 on 8 clips of 8 frames, on one core."""
    ensure_ops()
    from timm import create_model

    model = create_model("resnet50", num_classes=16)
    images = torch.rand(STEP_CLIPS, 3, 256, 128)

    def step(batch: torch.Tensor) -> None:
        model(batch).sum().backward()

    step(images)
    return cpu_ms(step, [images] * 2) * 4  # the frames of a clip are images to this model: 8 of these batches


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
