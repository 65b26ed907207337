"""Drawing: textured, shaded, rounded body parts over a scrolling background. All in numba.

A part is a bar from A to B with a half-width that changes along it and two rounded caps. H, W pixels; S texels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic._jit import jit

# Columns of a part: ends in pixels, half-widths at A, middle and B, lengths of the caps, texture, its turn about the bar
# (in circumferences), how much of the surface's light depends on its slope, opacity.
AX, AY, BX, BY, WA, WM, WB, CAP_A, CAP_B, TEXTURE, TURN, RELIEF, OPACITY = range(13)
COLUMNS = 13

Floats = NDArray[np.float64]


@jit
def surface(part: Floats, px: float, py: float) -> tuple[float, float, float]:
    """Return where a pixel lies on a part: signed distance to its edge (negative inside), t along, s across in [-1, 1]."""
    dx, dy = part[BX] - part[AX], part[BY] - part[AY]
    length = max(math.sqrt(dx * dx + dy * dy), 1e-3)
    ux, uy = dx / length, dy / length
    qx, qy = px - part[AX], py - part[AY]
    along, across = qx * ux + qy * uy, qx * uy - qy * ux
    t = along / length
    inside = min(max(t, 0.0), 1.0)
    # a parabola through the three half-widths
    width = part[WA] + inside * (
        4.0 * part[WM] - 3.0 * part[WA] - part[WB] + inside * 2.0 * (part[WA] + part[WB] - 2.0 * part[WM])
    )
    width = max(width, 0.3)
    beyond, cap = 0.0, 1.0
    if along < 0.0:
        beyond, cap = -along, max(part[CAP_A], 0.3)
    elif along > length:
        beyond, cap = along - length, max(part[CAP_B], 0.3)
    if beyond > 0.0:
        radius = math.sqrt((beyond / cap) ** 2 + (across / width) ** 2)
        distance = (radius - 1.0) * min(cap, width)
    else:
        distance = abs(across) - width
    return distance, t, min(max(across / width, -1.0), 1.0)


@jit
def turn_of(s: float) -> float:
    """Return asin(s) / (2 pi) for s in [-1, 1], by a polynomial that is 1/4 at 1: no library sine, so equal everywhere."""
    return s * (0.159155 + s * s * (0.026525 + s * s * 0.06432))


@jit
def draw_parts(
    canvas: NDArray[np.float32],
    label: NDArray[np.uint8],
    parts: Floats,
    order: NDArray[np.int64],
    textures: NDArray[np.float32],
    light: Floats,
) -> None:
    """Draw parts back to front.

    Args:
        canvas: image [H, W, 3] in [0, 1], changed in place.
        label: part on top per pixel [H, W], index + 1, 0 where none; changed in place.
        parts: [N, COLUMNS].
        order: indices of the parts to draw, farthest first.
        textures: [K, S, S, 3]; rows along the part, columns around it, the front in the middle.
        light: direction to the light in the image (right, towards the camera) and the share of ambient light.
    """
    height, width = label.shape
    size = textures.shape[1]
    for k in order:
        part = parts[k]
        if part[OPACITY] <= 0.0:
            continue
        reach = max(part[WA], part[WM], part[WB], part[CAP_A], part[CAP_B]) + 1.0
        x0, x1 = max(int(min(part[AX], part[BX]) - reach), 0), min(int(max(part[AX], part[BX]) + reach) + 2, width)
        y0, y1 = max(int(min(part[AY], part[BY]) - reach), 0), min(int(max(part[AY], part[BY]) + reach) + 2, height)
        texture = textures[int(part[TEXTURE])]
        for y in range(y0, y1):
            for x in range(x0, x1):
                distance, t, s = surface(part, float(x), float(y))
                alpha = min(max(0.5 - distance, 0.0), 1.0) * part[OPACITY]
                if alpha <= 0.0:
                    continue
                slope = math.sqrt(max(1.0 - s * s, 0.0))
                lit = light[2] + (1.0 - light[2]) * max(0.0, s * light[0] + slope * light[1])
                shade = 1.0 - part[RELIEF] + part[RELIEF] * lit
                u = (part[TURN] + turn_of(s)) % 1.0 * size
                v = min(max(t, 0.0), 0.999) * (size - 1)
                u0, v0 = int(u) % size, int(v)
                u1, v1 = (u0 + 1) % size, v0 + 1
                fu, fv = u - math.floor(u), v - v0
                for c in range(3):
                    top = texture[v0, u0, c] * (1.0 - fu) + texture[v0, u1, c] * fu
                    low = texture[v1, u0, c] * (1.0 - fu) + texture[v1, u1, c] * fu
                    value = (top * (1.0 - fv) + low * fv) * shade
                    canvas[y, x, c] = canvas[y, x, c] * (1.0 - alpha) + value * alpha
                if alpha >= 0.5 and part[RELIEF] > 0.0:
                    label[y, x] = k + 1


@jit
def fill_background(canvas: NDArray[np.float32], scene: NDArray[np.float32], x0: float, y0: float, zoom: float) -> None:
    """Fill the canvas from a camera's scene, mirrored at its ends.

    Args:
        canvas: [H, W, 3], overwritten.
        scene: [h, w, 3].
        x0: scene column of the canvas's left edge; any number.
        y0: scene row of the canvas's upper edge; any number.
        zoom: scene pixels per canvas pixel.
    """
    height, width = canvas.shape[:2]
    rows, columns = scene.shape[:2]
    for y in range(height):
        sy = min(max(y0 + y * zoom, 0.0), rows - 1.001)
        v0 = int(sy)
        fv = sy - v0
        for x in range(width):
            sx = (x0 + x * zoom) % (2.0 * columns - 2.0)
            if sx > columns - 1.001:
                sx = max(2.0 * columns - 2.0 - sx, 0.0)
            u0 = min(int(sx), columns - 2)
            fu = sx - u0
            for c in range(3):
                top = scene[v0, u0, c] * (1.0 - fu) + scene[v0, u0 + 1, c] * fu
                low = scene[v0 + 1, u0, c] * (1.0 - fu) + scene[v0 + 1, u0 + 1, c] * fu
                canvas[y, x, c] = top * (1.0 - fv) + low * fv


@jit
def develop(
    canvas: NDArray[np.float32],
    matrix: Floats,
    curve: NDArray[np.uint8],
    noise: NDArray[np.float32],
    offset: int,
    blur: float,
    gain: float,
) -> NDArray[np.uint8]:
    """Return the camera's picture uint8 [H, W, 3] of a canvas: blur, colour matrix, noise, tone curve.

    Args:
        canvas: [H, W, 3] in [0, 1].
        matrix: colour response [3, 3].
        curve: tone curve, 1024 values for [0, 1].
        noise: [M] standard normal, scaled; read from ``offset`` on, circularly.
        offset: start in ``noise``.
        blur: weight of each of the two neighbours of a pixel, [0, 1/3].
        gain: light of this frame.
    """
    height, width = canvas.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    row = np.empty((height, width, 3), np.float32)
    centre = 1.0 - 2.0 * blur
    for y in range(height):
        up, down = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            for c in range(3):
                row[y, x, c] = centre * canvas[y, x, c] + blur * (canvas[up, x, c] + canvas[down, x, c])
    at = offset
    for y in range(height):
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            r = gain * (centre * row[y, x, 0] + blur * (row[y, left, 0] + row[y, right, 0]))
            g = gain * (centre * row[y, x, 1] + blur * (row[y, left, 1] + row[y, right, 1]))
            b = gain * (centre * row[y, x, 2] + blur * (row[y, left, 2] + row[y, right, 2]))
            for c in range(3):
                value = matrix[c, 0] * r + matrix[c, 1] * g + matrix[c, 2] * b + noise[at]
                at += 1
                if at == noise.shape[0]:
                    at = 0
                out[y, x, c] = curve[min(max(int(value * 1023.0 + 0.5), 0), 1023)]
    return out
