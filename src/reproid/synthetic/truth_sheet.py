"""A picture of the truth: images with their joints beside the person's pixels with the motion of their blocks."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError
from reproid.files import atomic_path
from reproid.synthetic._motion import BLOCK
from reproid.synthetic.truth import decode_mask

SHOWN, HIDDEN, MOTION = (60, 220, 60), (230, 60, 60), (255, 225, 60)


def write_truth_sheet(folder: Path | str, out: Path | str, *, count: int = 12, columns: int = 6, scale: int = 2) -> None:
    """Write a picture of the truth of some images, evenly spread over a set.

    Left: joints, green where visible, red where hidden. Right: the mask, and lines from each block to where it was in the
    reference frame.

    Args:
        folder: a set rendered with ``truth: true``.
        out: the file to write, .png or .jpg.
        count: how many images.
        columns: images per row.
        scale: pixels per pixel.

    Raises:
        InputError: if the set has no truth.
    """
    import pyarrow.parquet as pq

    path = Path(folder) / "truth" / "images.parquet"
    if not path.exists():
        raise InputError(
            "the set has no truth", where=path, expected="a set rendered with truth: true", fix="Render one: --set truth=true"
        )
    table = pq.read_table(path)
    rows = table.take(np.linspace(0, len(table) - 1, min(count, len(table))).astype(int)).to_pylist()
    tiles = [_tile(DataFolder(Path(folder)), row, scale) for row in rows]
    width, height = tiles[0].size
    sheet = Image.new("RGB", (min(columns, len(tiles)) * width, -(-len(tiles) // columns) * height), (255, 255, 255))
    for k, tile in enumerate(tiles):
        sheet.paste(tile, (k % columns * width, k // columns * height))
    with atomic_path(out) as temporary:
        sheet.save(temporary)


def _tile(data: DataFolder, row: dict[str, Any], scale: int) -> Image.Image:
    with Image.open(io.BytesIO(data.read(row["image"]))) as opened:
        image = opened.convert("RGB")
    width, height = image.size
    pixels = np.asarray(image)
    mask = decode_mask(row["mask"], height=height, width=width)
    masked = np.where(mask[..., None], pixels, pixels // 3)
    tile = Image.fromarray(np.concatenate([pixels, masked], axis=1)).resize((2 * width * scale, height * scale))
    draw = ImageDraw.Draw(tile)
    for x, y, visible in np.reshape(row["joints"], (-1, 3)):
        if visible:
            box = [(x - 1) * scale, (y - 1) * scale, (x + 1) * scale, (y + 1) * scale]
            draw.ellipse(box, fill=SHOWN if visible == 2 else HIDDEN)
    moved = np.reshape(row["displacement"], (2, height // BLOCK, width // BLOCK))
    for block_y, block_x in np.argwhere(np.isfinite(moved[0])).tolist():
        x, y = (block_x + 0.5) * BLOCK + width, (block_y + 0.5) * BLOCK
        dx, dy = moved[:, block_y, block_x]
        draw.line([x * scale, y * scale, max(x + dx, width) * scale, (y + dy) * scale], fill=MOTION)
    return tile
