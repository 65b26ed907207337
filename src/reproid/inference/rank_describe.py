"""Descriptors of any tracklets by a trained run or a control, whatever data set the run was trained on."""

import sys
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import torch
from tqdm import tqdm

from reproid.catalog.settings import Clips, Embed, Settings
from reproid.clips.datasets import TestClips
from reproid.clips.loader import load_batches
from reproid.datasets.index import Tracklet
from reproid.inference.embed import FRAMES_PER_BATCH, load_model, read_run
from reproid.inference.rank import RankJob
from reproid.inference.retest import checkpoint_of
from reproid.models.base import ClipModel
from reproid.models.registry import create_model
from reproid.training.run import reproducible

CONTROL = Settings(method="control", clips=Clips(height=128, width=64), embed=Embed(sampling="strided", frames=8, max_clips=4))
"""A control looks at no more than 32 frames of a track, evenly spread."""


def describe(tracklets: Sequence[Tracklet], job: RankJob) -> np.ndarray:
    """Return one descriptor per tracklet, f32 [n, D]: the mean over its clips, taken in float64.

    Raises:
        InputError: if the checkpoint is missing, damaged or of another model, the control is unknown, or an image is damaged.
    """
    seed = 0 if job.run is None else read_run(job.run).seed
    with reproducible(seed, job.threads):
        model, settings = _load(job)
        clips = TestClips(tracklets, data=job.data, clips=settings.clips, embed=settings.embed)
        sums = _sums(model, clips, settings.embed.frames, job.workers)
    counts = np.bincount(clips.owners, minlength=len(tracklets))
    means: np.ndarray = (sums / counts[:, None]).astype(np.float32)
    return means


def _load(job: RankJob) -> tuple[ClipModel, Settings]:
    if job.run is not None:
        run = read_run(job.run)
        return load_model(run, checkpoint_of(job.run, run)), run.settings
    return create_model("control", {"kind": job.control}, classes=1, seed=0).eval(), CONTROL


def _sums(model: ClipModel, clips: TestClips, frames: int, workers: int) -> np.ndarray:
    """Return the sum of the embeddings of each tracklet's clips, f64 [n, D]."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    sums = np.zeros((len(clips.tracklets), model.embedding_dim))
    size = max(1, FRAMES_PER_BATCH // frames)
    batches = [list(range(start, min(start + size, len(clips)))) for start in range(0, len(clips), size)]
    bar = tqdm(batches, unit="batch", desc="describe", file=sys.stderr, disable=not sys.stderr.isatty())
    with torch.inference_mode(), closing(load_batches(clips, batches, workers=workers)) as loaded:
        for batch, clip in zip(bar, loaded, strict=True):
            values = model(clip.to(device)).embedding.double().cpu().numpy()
            np.add.at(sums, [clips.owners[item] for item in batch], values)
    return sums
