"""Where a pixel of one frame was in another: exact, because every surface is known. In numba."""

import math

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit
from reproid.synthetic import _draw as draw

Floats = NDArray[np.float64]
BLOCK = 16


@jit
def _on_part(part: Floats, reference: Floats, px: float, py: float) -> tuple[float, float, bool]:
    """Return where the surface point seen at a pixel lay in the reference frame, and whether it faced the camera there."""
    _, t, s = draw.surface(part, px, py)
    turned = math.asin(s) + 2.0 * math.pi * (part[draw.TURN] - reference[draw.TURN])
    turned -= 2.0 * math.pi * math.floor(turned / (2.0 * math.pi) + 0.5)
    if abs(turned) > 0.5 * math.pi:
        return 0.0, 0.0, False
    dx, dy = reference[draw.BX] - reference[draw.AX], reference[draw.BY] - reference[draw.AY]
    length = max(math.sqrt(dx * dx + dy * dy), 1e-3)
    here = math.sqrt((part[draw.BX] - part[draw.AX]) ** 2 + (part[draw.BY] - part[draw.AY]) ** 2)
    along, inside = t * length, min(max(t, 0.0), 1.0)
    if t < 0.0:  # on a cap: at the same share of its length
        along = t * here / max(part[draw.CAP_A], 0.3) * max(reference[draw.CAP_A], 0.3)
    elif t > 1.0:
        along = length + (t - 1.0) * here / max(part[draw.CAP_B], 0.3) * max(reference[draw.CAP_B], 0.3)
    wa, wm, wb = reference[draw.WA], reference[draw.WM], reference[draw.WB]
    width = wa + inside * (4.0 * wm - 3.0 * wa - wb + inside * 2.0 * (wa + wb - 2.0 * wm))
    across = math.sin(turned) * max(width, 0.3)
    ux, uy = dx / length, dy / length
    return reference[draw.AX] + along * ux + across * uy, reference[draw.AY] + along * uy - across * ux, True


@jit
def pixel_displacement(
    label: NDArray[np.uint8], reference_label: NDArray[np.uint8], parts: tuple[Floats, Floats], scene_at: tuple[Floats, Floats]
) -> NDArray[np.float32]:
    """Return (dx, dy) per pixel [H, W, 2] with P(x, y) = I(x + dx, y + dy); NaN where the point is not seen in the reference I.

    Args:
        label: part on top per pixel [H, W], index + 1; 0 the background.
        reference_label: the same in the reference frame.
        parts: this frame's and the reference frame's parts [N, COLUMNS].
        scene_at: the background's place in this frame and in the reference [3].
    """
    height, width = label.shape
    out = np.full((height, width, 2), np.nan, np.float32)
    now, then = scene_at
    for y in range(height):
        for x in range(width):
            k = label[y, x]
            if k == 0:
                rx, ry = (now[0] + x * now[2] - then[0]) / then[2], (now[1] + y * now[2] - then[1]) / then[2]
                seen = True
            else:
                rx, ry, seen = _on_part(parts[0][k - 1], parts[1][k - 1], float(x), float(y))
            column, row = math.floor(rx + 0.5), math.floor(ry + 0.5)
            if seen and 0 <= column < width and 0 <= row < height and reference_label[row, column] == k:
                out[y, x, 0], out[y, x, 1] = rx - x, ry - y
    return out


@jit
def block_means(displacement: NDArray[np.float32], body: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the motion of each block of 16 x 16 pixels, and the share of the block that it stands for.

    A block that holds both the person and the background has two motions; the one of its larger part is given.

    Args:
        displacement: [H, W, 2], NaN where unknown.
        body: the person's pixels [H, W].

    Returns:
        (dx, dy) [2, H // 16, W // 16], NaN where no pixel is known; shares in [0, 1], [H // 16, W // 16].
    """
    rows, columns = body.shape[0] // BLOCK, body.shape[1] // BLOCK
    mean = np.full((2, rows, columns), np.nan, np.float32)
    share = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            top, left = row * BLOCK, column * BLOCK
            of_body = body[top : top + BLOCK, left : left + BLOCK].sum() * 2 > BLOCK * BLOCK
            dx, dy, n = 0.0, 0.0, 0
            for y in range(top, top + BLOCK):
                for x in range(left, left + BLOCK):
                    if body[y, x] == of_body and not math.isnan(displacement[y, x, 0]):
                        dx, dy, n = dx + displacement[y, x, 0], dy + displacement[y, x, 1], n + 1
            if n:
                mean[0, row, column], mean[1, row, column] = dx / n, dy / n
                share[row, column] = n / (BLOCK * BLOCK)
    return mean, share
