"""The work of rendering, tracklet by tracklet, in this process or in several."""

import hashlib
import io
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from reproid.catalog.synthetic import SyntheticSpec
from reproid.synthetic._camera import make_camera
from reproid.synthetic._stage import make_stage
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.layouts import LayoutWriter, layout_writer
from reproid.synthetic.plan import PlannedTracklet, World, make_world
from reproid.synthetic.truth import truth_table

Done = tuple[bytes, pa.Table | None]
"""Digest of a tracklet's labels and images, and its truth where that is asked for."""


def render_all(world: World, out: Path, layout: str, workers: int) -> Iterator[Done]:
    """Render every tracklet; yield what came of each, in the order of the set."""
    if workers <= 1:
        for tracklet in world.tracklets:
            yield render_tracklet(world, tracklet, out, layout_writer(layout))
        return
    size = max(1, len(world.tracklets) // (workers * 8))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (world.spec, out, layout)) as pool:
        yield from pool.map(_render_planned, range(len(world.tracklets)), chunksize=size)


_worker: dict[str, Any] = {}  # what a worker process keeps between tracklets


def _start_worker(spec: SyntheticSpec, out: Path, layout: str) -> None:
    _worker.update(world=make_world(spec), out=out, writer=layout_writer(layout))


def _render_planned(position: int) -> Done:
    world: World = _worker["world"]
    return render_tracklet(world, world.tracklets[position], _worker["out"], _worker["writer"])


def render_tracklet(world: World, tracklet: PlannedTracklet, out: Path, writer: LayoutWriter) -> Done:
    """Write a tracklet's images.

    Not atomically, on purpose: a set is complete only when its synthetic.json is there, and is started over until then.
    """
    quality = make_camera(world.spec, tracklet.camid).quality
    digest = hashlib.sha256(f"{tracklet.subset}/{tracklet.key}/{tracklet.query}/{tracklet.frames}".encode())
    paths = writer.paths(world, tracklet)
    for folder in sorted({Path(path).parent for path in paths}):
        (out / folder).mkdir(parents=True, exist_ok=True)
    stage, labels = make_stage(world, tracklet), []
    for path, (image, label) in zip(paths, draw_frames(world, tracklet, stage), strict=True):
        jpeg = encode(image, quality)
        digest.update(jpeg)
        (out / path).write_bytes(jpeg if path.endswith(".jpg") else _as_png(jpeg))
        labels.append(label)
    if not world.spec.truth:
        return digest.digest(), None
    return digest.digest(), truth_table(world, tracklet, stage, labels, names=(writer.tracklet_id(world, tracklet), paths))


def encode(image: NDArray[np.uint8], quality: int) -> bytes:
    """Return the camera's JPEG file of an image [H, W, 3]."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _as_png(jpeg: bytes) -> bytes:
    """Return the same pixels as PNG: the camera's JPEG stays part of the picture in every layout."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as image:
        image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
