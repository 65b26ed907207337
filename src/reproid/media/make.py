"""All test clips of a data set, encoded once.

A folder results/media/<data set>/<media id>/ holds

    shards/           the streams, <tracklet>/<clip>.mp4 in tar files (`reproid.datasets.shards`)
    clips.parquet     a row per clip: which frames, motion, validity, statistics
    examples.json     some clips to look at
    media.json        what it was made of, statistics of all clips; of some under every motion method. Written last
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from reproid.catalog.media import PlannedMedia
from reproid.catalog.settings import Clips
from reproid.clips.datasets import TestClips
from reproid.clips.stored_motion import CLIPS, MEDIA, SCHEMA, SCHEMA_NUMBER
from reproid.datasets.index import Index, Tracklet, load_index
from reproid.datasets.shard_writer import ShardWriter
from reproid.datasets.shards import FOLDER
from reproid.errors import InputError
from reproid.files import atomic_path, write_json
from reproid.gop import Extractor
from reproid.gop.result import check_method
from reproid.media.examples import MOST_CLIPS, example
from reproid.media.statistics import ClipStatistics, clip_statistics, compare_methods, pooled
from reproid.media.stream import encode_stream
from reproid.training.digests import data_sha256

EXAMPLES = "examples.json"
ROWS_PER_GROUP = 512
COMPARED = 32
"""Clips that every motion method is tried on, spread evenly."""
Start = Callable[[int], Callable[[int], object]]


@dataclass(frozen=True, kw_only=True)
class MediaJob:
    """What to encode, and where to."""

    plan: PlannedMedia
    index: Path
    """Folder of tracklets.parquet and splits.parquet."""
    data: Path
    """Folder that the frames' names are relative to."""
    out: Path
    """Folder to write."""
    workers: int = 1
    """Processes; the files do not depend on it."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    values: dict[str, Any]
    """Of clips.parquet."""
    statistics: ClipStatistics
    stream: bytes
    name: str


def make_media(job: MediaJob, start: Start | None = None) -> dict[str, Any]:
    """Encode the clips of every tracklet that is query or gallery in any split; return what media.json says.

    Args:
        job: what, and where to.
        start: called with the number of clips; what it returns, with 1 after each clip.

    Raises:
        InputError: if there is no such tracklet, an image is broken or missing, or the folder cannot be written to.
    """
    index = load_index(job.index)
    tracklets = _test_tracklets(index)
    if not tracklets:
        raise InputError("no tracklet to encode", where=job.index, expected="queries and gallery", got="none")
    _clear(job.out)
    clips = _test_clips(job, tracklets)
    step = start(len(clips)) if start else lambda _: None
    with atomic_path(job.out / CLIPS) as temporary, ShardWriter(job.out / FOLDER) as shards:
        statistics = _write(_rows(job, clips), temporary, shards, step)
    write_json(job.out / EXAMPLES, _examples(job, clips))
    about = _about(job, clips, statistics)
    write_json(job.out / MEDIA, about)
    return about


def _write(rows: Iterator[_Row], path: Path, shards: ShardWriter, step: Callable[[int], object]) -> list[ClipStatistics]:
    statistics = []
    with pq.ParquetWriter(path, SCHEMA) as parquet:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            parquet.write_table(pa.Table.from_pylist([row.values for row in group], SCHEMA))
            for row in group:
                shards.add(row.name, row.stream)
                statistics.append(row.statistics)
                step(1)
    return statistics


def _test_tracklets(index: Index) -> tuple[Tracklet, ...]:
    ids = {assignment.tracklet_id for assignment in index.assignments if assignment.role != "train"}
    return tuple(tracklet for tracklet_id, tracklet in index.records.items() if tracklet_id in ids)


def _test_clips(job: MediaJob, tracklets: tuple[Tracklet, ...]) -> TestClips:
    size = Clips(frames=job.plan.embed.frames, height=job.plan.height, width=job.plan.width)
    return TestClips(tracklets, data=job.data, clips=size, embed=job.plan.embed)


def _clear(out: Path) -> None:
    """Remove what an earlier call, or one that was killed, left behind."""
    for path in (
        *(out / name for name in (MEDIA, EXAMPLES, CLIPS)),
        *sorted((out / FOLDER).glob("*")),
        *sorted(out.glob(".*.partial*")),
    ):
        path.unlink(missing_ok=True)


def _rows(job: MediaJob, clips: TestClips) -> Iterator[_Row]:
    """Yield every clip's row, in order."""
    if job.workers <= 1:
        worker = _Worker(clips, job.plan.method)
        yield from map(worker.row, range(len(clips)))
        return
    context = multiprocessing.get_context("fork")  # as the loader's workers: to load torch anew costs each some seconds
    try:
        with ProcessPoolExecutor(job.workers, context, _start_worker, (clips, job.plan.method)) as pool:
            yield from pool.map(_row, range(len(clips)), chunksize=max(1, min(64, len(clips) // (4 * job.workers))))
    except BrokenProcessPool as error:
        raise InputError("a process that encodes was lost", fix="Give the job more memory, or use --workers 1") from error


class _Worker:
    def __init__(self, clips: TestClips, method: str) -> None:
        self.clips, self.extract = clips, Extractor(check_method(method))

    def row(self, item: int) -> _Row:
        sample = self.clips[item]
        tracklet, number, positions = self.clips.place(item)
        frames = sample.frames.permute(0, 2, 3, 1)
        found = self.extract(frames)
        statistics = clip_statistics(found, sample.n_real)
        stream = encode_stream(frames.contiguous().numpy())
        values = {
            "tracklet_id": tracklet.tracklet_id,
            "clip": number,
            "n_real": sample.n_real,
            "positions": positions,
            "motion": (found.motion.flatten() * 4).round().to(torch.int16).numpy(),
            "valid": np.packbits(found.valid.flatten().numpy()).tobytes(),
            "bytes": len(stream),
            **asdict(statistics),
        }
        return _Row(values=values, statistics=statistics, stream=stream, name=stream_name(tracklet.tracklet_id, number))


def stream_name(tracklet_id: str, clip: int) -> str:
    """Return the name of a clip's stream in the shards."""
    return f"{tracklet_id}/{clip:04d}.mp4"


_worker: dict[str, _Worker] = {}  # what a process keeps between clips


def _start_worker(clips: TestClips, method: str) -> None:

    torch.set_num_threads(1)
    _worker["it"] = _Worker(clips, method)


def _row(item: int) -> _Row:
    return _worker["it"].row(item)


def _examples(job: MediaJob, clips: TestClips) -> list[dict[str, Any]]:
    extract = Extractor(check_method(job.plan.method))
    found = []
    for item in clips.spread(MOST_CLIPS):
        tracklet, number, positions = clips.place(item)
        sample = clips[item]
        group = extract(sample.frames[: sample.n_real].permute(0, 2, 3, 1))
        found.append(example(group, tracklet_id=tracklet.tracklet_id, clip=number, positions=positions[: sample.n_real]))
    return found


def _about(job: MediaJob, clips: TestClips, statistics: list[ClipStatistics]) -> dict[str, Any]:
    compared = [clips[item] for item in clips.spread(COMPARED)]
    return {
        "schema": SCHEMA_NUMBER,
        "plan": job.plan.model_dump(mode="json"),
        "data_sha256": data_sha256(job.index),
        "counts": {"tracklets": len(clips.tracklets), "clips": len(clips)},
        "quality": asdict(pooled(statistics)),
        "methods": compare_methods([(sample.frames, sample.n_real) for sample in compared]),
        "pyav": metadata.version("av"),
    }
