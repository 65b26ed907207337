"""A clip of any video, or of a folder of images, as a group of pictures to look at: arrays in a file, and a figure."""

import io
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.video import read_video
from reproid.errors import InputError
from reproid.files import atomic_path
from reproid.gop.motion import BLOCK
from reproid.gop.result import GroupOfPictures

IMAGES = (".jpg", ".jpeg", ".png")
BRIGHTEST = 4.0
"""The residual's mean absolute value is shown so many times as bright."""


def read_clip(source: Path, *, start: int, frames: int, step: int) -> NDArray[np.uint8]:
    """Return the frames start, start + step, ... of a video, or of a folder's images in the order of their names: [T, H, W, 3].

    Fewer than ``frames`` where the source ends.

    Raises:
        InputError: if there is no frame at ``start``, a file is damaged, or the frames differ in size; names file and frame.
    """
    pictures = _images(source, start, frames, step) if source.is_dir() else _video(source, start, frames, step)
    if not pictures:
        raise InputError("the source has no such frame", where=source, expected=f"frame {start} (from 0)", got="fewer frames")
    return np.stack(pictures)


def write_arrays(found: GroupOfPictures, path: Path) -> None:
    """Write frames, motion, valid, index and residual, as INTERFACES has them."""
    arrays = {name: getattr(found, name).numpy() for name in ("frames", "motion", "valid", "index", "residual")}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, method=np.array(found.method), **arrays)


def write_native(source: Path, path: Path, *, start: int, frames: int) -> tuple[int, int]:
    """Write a video's own motion vectors, a row each: frame, source, w, h, src_x, src_y, dst_x, dst_y, motion_x, motion_y, scale.

    Returns:
        How many frames were read, and how many vectors they carry.
    """
    rows: list[NDArray[np.int32]] = []
    count = 0
    names = ("source", "w", "h", "src_x", "src_y", "dst_x", "dst_y", "motion_x", "motion_y", "motion_scale")
    for picture in islice(read_video(source, export_vectors=True), start, start + frames):
        count += 1
        data: Any = picture.frame.side_data.get("MOTION_VECTORS")
        if data is not None:
            table = data.to_ndarray()
            columns = [np.full(len(table), picture.number, np.int32), *(table[name].astype(np.int32) for name in names)]
            rows.append(np.stack(columns, axis=1))
    vectors = np.concatenate(rows) if rows else np.zeros((0, 1 + len(names)), np.int32)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, vectors=vectors, columns=np.array(["frame", *names]))
    return count, len(vectors)


def write_figure(found: GroupOfPictures, path: Path) -> None:
    """Write a PNG: a row per P-frame with its vectors (red: not valid), the warped I-frame, and the residual."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count, (height, width) = len(found.motion), found.frames.shape[-2:]
    figure = Figure(figsize=(9, max(1, count) * 3 * height / width), dpi=100, layout="tight")
    axes = figure.subplots(max(1, count), 3, squeeze=False)
    y, x = np.mgrid[: found.motion.shape[2], : found.motion.shape[3]] * BLOCK + BLOCK / 2
    for t, row in enumerate(axes[:count]):
        dx, dy = found.motion[t].numpy()
        shown = np.clip(BRIGHTEST * found.residual[t].abs().mean(0).numpy(), 0, 255)
        row[0].imshow(found.frames[t + 1].permute(1, 2, 0).numpy())
        colours = np.where(found.valid[t].numpy().ravel(), "yellow", "red")
        row[0].quiver(x, y, dx, dy, angles="xy", scale_units="xy", scale=1, color=colours, width=0.005)
        row[1].imshow(found.warped[t].permute(1, 2, 0).numpy())
        row[2].imshow(shown, cmap="gray", vmin=0, vmax=255)
        for axis, title in zip(row, (f"P{t + 1} and its vectors", "warped I-frame", "residual"), strict=True):
            axis.set_title(title, fontsize=8)
    for axis in axes.flat:
        axis.set_axis_off()
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _video(source: Path, start: int, frames: int, step: int) -> list[NDArray[np.uint8]]:
    wanted = islice(read_video(source), start, start + frames * step, step)
    return [picture.frame.to_ndarray(format="rgb24") for picture in wanted]


def _images(source: Path, start: int, frames: int, step: int) -> list[NDArray[np.uint8]]:
    folder = DataFolder(source)
    names = [name for name in folder.files() if name.lower().endswith(IMAGES)][start : start + frames * step : step]
    pictures: list[NDArray[np.uint8]] = []
    for name in names:
        try:
            with Image.open(io.BytesIO(folder.read(name))) as image:
                pictures.append(np.asarray(image.convert("RGB")))
        except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise InputError("image cannot be decoded", where=folder.place(name), expected="a whole JPEG or PNG") from error
        if pictures[-1].shape != pictures[0].shape:
            expected, got = (f"{w} x {h}" for h, w, _ in (pictures[0].shape, pictures[-1].shape))
            raise InputError("the images change size", where=folder.place(name), expected=expected, got=got)
    return pictures
