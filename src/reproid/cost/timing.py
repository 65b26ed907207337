"""Milliseconds per video: warm, several passes, the median; the clock waits for the device."""

import statistics
import sys
import time
from dataclasses import dataclass
from typing import NoReturn

import torch
from tqdm import tqdm

from reproid.catalog.costs import CostSettings
from reproid.clips.clip import Clip
from reproid.models.base import ClipModel
from reproid.models.macs import ClipSize
from reproid.seeds import derive_seed

WARM_UP = 2
"""Passes before the clock starts: kernels are chosen and memory is taken in the first."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The time of one batch size."""

    batch: int
    """Videos per pass."""
    repeats: int
    ms_per_video: float
    """Median over the passes of a pass's time over its videos."""
    fastest_ms_per_video: float
    slowest_ms_per_video: float
    peak_gpu_memory_mib: float | None
    """As torch allocated it during these passes, weights included; None on the CPU."""


def time_model(
    model: ClipModel, size: ClipSize, settings: CostSettings, device: torch.device, *, gop: bool = False
) -> tuple[Timing, ...]:
    """Time a model in eval mode, float32, on frames that are on the device already; moves the model there.

    Args:
        model: the method's model.
        size: the clip that stands for one video.
        settings: batch sizes and passes.
        device: where.
        gop: whether the clips carry a group of pictures, made beforehand.
    """
    model.eval().to(device)
    timings = []
    with tqdm(total=len(settings.batches) * (WARM_UP + settings.repeats), unit="pass", disable=not sys.stderr.isatty()) as bar:
        for batch in settings.batches:
            timings.append(_time_batch(model, random_clip(batch, size, gop=gop).to(device), settings.repeats, device, bar))
    return tuple(timings)


def random_clip(batch: int, size: ClipSize, *, empty: bool = False, gop: bool = False) -> Clip:
    """Return a batch of clips of random bytes; ``empty`` leaves them as memory has them, for shapes alone.

    Args:
        batch: clips.
        size: of each.
        empty: whether no numbers are needed.
        gop: whether the clips carry a group of pictures: random motion and no residual.
    """
    shape = (batch, size.frames, 3, size.height, size.width)
    if empty:
        frames = torch.empty(shape, dtype=torch.uint8)
    else:
        generator = torch.Generator().manual_seed(derive_seed(0, "sampling", "cost"))
        frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    made = _group_of_pictures(batch, size, empty) if gop else {}
    return Clip(
        **made,
        frames=frames,
        pid=torch.zeros(batch, dtype=torch.int64),
        camid=torch.zeros(batch, dtype=torch.int64),
        n_real=torch.full((batch,), size.frames),
        tracklet_id=tuple(f"random-{number}" for number in range(batch)),
    )


def _group_of_pictures(batch: int, size: ClipSize, empty: bool) -> dict[str, torch.Tensor]:
    frames, h, w = size.frames - 1, size.height // 16, size.width // 16
    grid = (batch, frames, h, w)
    if empty:
        index = torch.empty(grid, dtype=torch.int64)
    else:
        generator = torch.Generator().manual_seed(derive_seed(0, "sampling", "gop"))
        index = torch.randint(0, h * w, grid, generator=generator)
    return {
        "motion": torch.zeros(batch, frames, 2, h, w),
        "valid": torch.ones(grid, dtype=torch.bool),
        "index": index,
        "residual": torch.zeros(batch, frames, 3, size.height, size.width),
    }


def _time_batch(model: ClipModel, clip: Clip, repeats: int, device: torch.device, bar: "tqdm[NoReturn]") -> Timing:
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    times = []
    with torch.inference_mode():
        for _ in range(WARM_UP + repeats):
            times.append(1000 * _one_pass(model, clip, device) / len(clip))
            bar.update()
    times = times[WARM_UP:]
    return Timing(
        batch=len(clip),
        repeats=repeats,
        ms_per_video=round(statistics.median(times), 3),
        fastest_ms_per_video=round(min(times), 3),
        slowest_ms_per_video=round(max(times), 3),
        peak_gpu_memory_mib=round(torch.cuda.max_memory_allocated(device) / 2**20, 1) if on_gpu else None,
    )


def _one_pass(model: ClipModel, clip: Clip, device: torch.device) -> float:
    """Return the seconds of one pass, the device's work included."""
    _wait(device)
    began = time.perf_counter()
    model(clip)
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
