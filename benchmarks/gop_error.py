"""How right the motion of each method is: against the known motion of synthetic people, and of moving blocks.

    python benchmarks/gop_error.py --out benchmarks/gop_error.json     a few minutes on one core

People: clips of eight consecutive frames of 128 x 256, default difficulty; blocks whose true motion is known for at least half
of their pixels count. A *body* block is one of which most pixels are the person's. Error: end-point error, pixels. PSNR: of the
warped I-frame against the P-frames, mean of the clips' values. Blocks: the clips of tests/support/moving_blocks.py, share of
vectors that are exactly right.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.files import write_json
from reproid.gop import METHODS, Extractor, Method
from reproid.gop.warp import residual, warp
from reproid.synthetic._stage import make_stage
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world
from reproid.synthetic.truth import frame_truths

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.moving_blocks import MovingBlocks, moving_blocks

SPEC = SyntheticSpec(height=256, width=128, frames=(8, 8), short_tracklets=0, junk=0, distractors=0)
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class People:
    """A clip with its truth."""

    frames: NDArray[np.uint8]
    motion: Floats
    """[7, 2, 16, 8]."""
    counts: NDArray[np.bool_]
    """Blocks whose motion is known [7, 16, 8]."""
    body: NDArray[np.bool_]
    """Those of them that show the person [7, 16, 8]."""


def main() -> None:
    """Measure everything and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clips = people(arguments.clips)
    rows = [still(clips)]
    for method in METHODS:
        rows.append({"method": method, **of_people(method, clips), **of_blocks(method)})
        print(rows[-1])
    write_json(arguments.out, {"renderer_revision": RENDERER_REVISION, "clips": len(clips), "rows": rows})


def people(count: int) -> list[People]:
    """Return clips of different persons and cameras."""
    world = make_world(SPEC)
    tracklets = world.tracklets[:: max(1, len(world.tracklets) // count)][:count]
    clips = []
    for tracklet in tracklets:
        stage = make_stage(world, tracklet)
        drawn = list(draw_frames(world, tracklet, stage))
        truths = list(frame_truths(world, tracklet, stage, [label for _, label in drawn]))[1:]
        masks = np.stack([truth.mask for truth in truths])
        shares = masks.reshape(len(truths), 16, 16, 8, 16).mean(axis=(2, 4))
        counts = np.stack([truth.share for truth in truths]) >= 0.5
        clips.append(
            People(
                frames=np.stack([image for image, _ in drawn]),
                motion=np.stack([truth.displacement for truth in truths]),
                counts=counts,
                body=counts & (shares > 0.5),
            )
        )
    return clips


def of_people(method: Method, clips: list[People]) -> dict[str, Any]:
    """Return the figures of a method on people."""
    extract = Extractor(method)
    found = [extract(clip.frames) for clip in clips]
    errors = [np.hypot(*(gop.motion.numpy() - clip.motion).transpose(1, 0, 2, 3)) for gop, clip in zip(found, clips, strict=True)]
    valid = float(np.mean([gop.valid.float().mean() for gop in found]))
    return {**_errors(errors, clips), "psnr_db": _psnr([gop.residual for gop in found]), "valid": round(valid, 4)}


def still(clips: list[People]) -> dict[str, Any]:
    """Return the figures of no motion at all."""
    errors = [np.hypot(*clip.motion.transpose(1, 0, 2, 3)) for clip in clips]
    frames = [torch.from_numpy(clip.frames).permute(0, 3, 1, 2).contiguous() for clip in clips]
    left = [residual(one, warp(one[0], torch.zeros(7, 2, 16, 8))) for one in frames]
    return {"method": "no motion", **_errors(errors, clips), "psnr_db": _psnr(left)}


def of_blocks(method: Method) -> dict[str, Any]:
    """Return the share of exactly right vectors of moving blocks, over whole and quarter pixels, clean and noisy."""
    extract = Extractor(method)
    rows = {}
    for name, coherent in (("exact_coherent", True), ("exact_incoherent", False)):
        shares = []
        for made in blocks(coherent):
            shares.append((extract(made.frames).motion.numpy() == made.motion).all(axis=1).mean())
        rows[name] = round(float(np.mean(shares)), 4)
    return rows


@cache
def blocks(coherent: bool) -> list[MovingBlocks]:
    """Return clips of moving blocks: two of each of whole and quarter pixels, clean and noisy."""
    kinds = [(seed, quarters, noise) for seed in range(2) for quarters in (False, True) for noise in (0.0, 3.0)]
    return [moving_blocks(seed, quarters=quarters, noise=noise, coherent=coherent) for seed, quarters, noise in kinds]


def _errors(errors: list[Floats], clips: list[People]) -> dict[str, Any]:
    every = np.concatenate([error[clip.counts] for error, clip in zip(errors, clips, strict=True)])
    body = np.concatenate([error[clip.body] for error, clip in zip(errors, clips, strict=True)])
    return {
        "error_px": round(float(every.mean()), 2),
        "error_median_px": round(float(np.median(every)), 2),
        "error_body_px": round(float(body.mean()), 2),
        "error_body_median_px": round(float(np.median(body)), 2),
        "within_2px": round(float((every <= 2).mean()), 4),
    }


def _psnr(residuals: list[torch.Tensor]) -> float:
    return round(float(np.mean([10 * np.log10(255**2 / float((one**2).mean())) for one in residuals])), 2)


if __name__ == "__main__":
    main()
