"""Descriptors of the query and gallery tracklets of a run."""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tqdm import tqdm

from reproid.catalog._yaml import validate
from reproid.catalog.media import plan_media
from reproid.catalog.runs import Run
from reproid.clips.clip import Clip
from reproid.clips.datasets import TestClips
from reproid.clips.declared import check_declared
from reproid.clips.loader import load_batches
from reproid.datasets.index import Tracklet, load_index
from reproid.errors import InputError
from reproid.files import atomic_path, read_json, write_json
from reproid.inference.figures import Seen, figures_of
from reproid.inference.retest import checkpoint_of
from reproid.models.base import ClipModel, Output
from reproid.models.checkpoint import load_into, load_tensors
from reproid.models.registry import create_model
from reproid.training.digests import data_sha256
from reproid.training.run import reproducible

if TYPE_CHECKING:
    from reproid.clips.stored_motion import StoredMotion

FRAMES_PER_BATCH = 256
"""Clips of several tracklets share a batch of about so many frames. Fixed: another size moves a descriptor's last bits."""


@dataclass(frozen=True, kw_only=True)
class EmbedJob:
    """A trained run, the data to describe and the file to write."""

    run: Path
    """Folder with run.json and, unless the run shares another one's training, model.safetensors."""
    index: Path
    """Folder of tracklets.parquet and splits.parquet."""
    data: Path
    """Folder that the frames' names are relative to."""
    out: Path
    """The .npz file."""
    figures: Path | None = None
    """The .json file of what a report draws; None: none."""
    media: Path | None = None
    """Folder that `reproid media` wrote for such runs; None: motion is found again, which gives the same."""
    workers: int = 2
    """Processes that decode images; results do not depend on it."""
    threads: int = 1
    """Of torch on the CPU; results depend on it in the last bits."""


def embed(job: EmbedJob) -> None:
    """Write the descriptors of all query and gallery tracklets of the run's split.

    A clip's descriptor is the model's embedding, float32; a tracklet's is the mean over its clips, taken in float64. The rows are
    the gallery in its order, then the queries that are not in the gallery; the arrays are those of INTERFACES, and sampling,
    pooling and frames_per_clip. What a report draws of the same passes is written beside them where the job names a file.

    Raises:
        InputError: if the checkpoint is missing, damaged or of another model, or the data do not fit.
    """
    run = read_run(job.run)
    index = load_index(job.index)
    check_declared(run, index, job.data)
    queries, gallery = (index.tracklets(role, run.split) for role in ("query", "gallery"))
    tracklets = tuple({tracklet.tracklet_id: tracklet for tracklet in (*gallery, *queries)}.values())
    if not tracklets:
        expected = f"queries and gallery of split '{run.split}'"
        raise InputError("no tracklet to describe", where=job.index, expected=expected, got="none")
    settings = run.settings.embed
    with reproducible(run.seed, job.threads):
        model = load_model(run, checkpoint_of(job.run, run))
        embeddings, seen = _describe(model, tracklets, run, job)
    columns = {
        "embeddings": embeddings,
        "tracklet_ids": np.array([tracklet.tracklet_id for tracklet in tracklets]),
        "pids": np.array([tracklet.pid for tracklet in tracklets], dtype=np.int32),
        "camids": np.array([tracklet.camid for tracklet in tracklets], dtype=np.int16),
        "n_frames": np.array([len(tracklet.frames) for tracklet in tracklets], dtype=np.int32),
        "is_query": _members(tracklets, queries),
        "is_gallery": _members(tracklets, gallery),
        "sampling": np.array(settings.sampling),
        "pooling": np.array(settings.pooling),
        "frames_per_clip": np.array(settings.frames),
        "run_id": np.array(run.run_id),
    }
    with atomic_path(job.out) as temporary:
        np.savez(temporary, allow_pickle=False, **columns)
    if job.figures is not None:
        write_json(job.figures, figures_of(run, model, seen, columns))


def read_run(folder: Path) -> Run:
    """Read run.json of a run's folder.

    Raises:
        InputError: if the file is missing or invalid.
    """
    return validate(read_json(folder / "run.json"), Run, where=folder / "run.json")


def load_model(run: Run, path: Path) -> ClipModel:
    """Return a run's model with the weights of ``path``, in eval mode.

    Raises:
        InputError: if the file is missing, damaged, a pickle, or of another model.
    """
    tensors, about = load_tensors(path)
    expected = {"method": run.settings.method, "revision": run.revision, "run_id": run.training_id}
    for key, value in expected.items():
        if about.get(key) != value:
            fix = "Train the run again"
            raise InputError(f"checkpoint of another {key}", where=path, expected=value, got=about.get(key), fix=fix)
    model = create_model(run.settings.method, run.settings.options, classes=int(about["classes"]), seed=run.seed)
    load_into(model, tensors, where=path)
    return model.eval()


def _describe(model: ClipModel, tracklets: tuple[Tracklet, ...], run: Run, job: EmbedJob) -> tuple[np.ndarray, Seen]:
    settings = run.settings
    clips = TestClips(
        tracklets, data=job.data, clips=settings.clips, embed=settings.embed, gop=settings.gop, stored=_stored(run, job)
    )
    sums = np.zeros((len(tracklets), model.embedding_dim))
    seen = Seen(clips)
    for items, clip, output in _passes(model, clips, run.settings.embed.frames, job.workers):
        np.add.at(sums, [clips.owners[item] for item in items], output.embedding.float().cpu().numpy().astype(np.float64))
        if job.figures is not None:
            seen.add(items, clip, output)
    counts = np.bincount(clips.owners, minlength=len(tracklets))
    return (sums / counts[:, None]).astype(np.float32), seen


def _stored(run: Run, job: EmbedJob) -> "StoredMotion | None":
    plan = plan_media(run)
    if job.media is None or plan is None:
        return None
    from reproid.clips.stored_motion import StoredMotion

    return StoredMotion(job.media, plan, data_sha256=data_sha256(job.index))


def _passes(model: ClipModel, clips: TestClips, frames: int, workers: int) -> Iterator[tuple[list[int], Clip, Output]]:
    """Yield, batch by batch, which clips it holds, the batch, and what the model makes of it."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    size = max(1, FRAMES_PER_BATCH // frames)
    batches = [list(range(start, min(start + size, len(clips)))) for start in range(0, len(clips), size)]
    loaded = load_batches(clips, batches, workers=workers)
    bar = tqdm(batches, unit="batch", desc="embed", file=sys.stderr, disable=not sys.stderr.isatty())
    with torch.inference_mode(), closing(loaded):
        for batch, clip in zip(bar, loaded, strict=True):
            yield batch, clip, model(clip.ready(device))


def _members(tracklets: tuple[Tracklet, ...], group: tuple[Tracklet, ...]) -> np.ndarray:
    ids = {tracklet.tracklet_id for tracklet in group}
    return np.array([tracklet.tracklet_id in ids for tracklet in tracklets])
