"""Drawing: textured, shaded, rounded body parts over a scrolling background. All in numba.

A part is a bar from A to B with a half-width that changes along it and two rounded caps. H, W pixels; S texels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from reproid._jit import jit

# Columns of a part: ends in pixels, half-widths at A, middle and B, lengths of the caps, texture, its turn about the bar
# (in circumferences), how much of the surface's light depends on its slope, opacity.
AX, AY, BX, BY, WA, WM, WB, CAP_A, CAP_B, TEXTURE, TURN, RELIEF, OPACITY = range(13)
COLUMNS = 13

Floats = NDArray[np.float64]


@jit
def profile(
    along: float, across: float, length: float, wa: float, wm: float, wb: float, cap_a: float, cap_b: float
) -> tuple[float, float]:
    """Return the signed distance of a point to a part's edge (negative inside), and the half-width there.

    Eight scalars and no array: the compiler inlines it, and counts no references per pixel.

    Args:
        along: from A in the direction of B, pixels.
        across: from the axis, pixels.
        length: from A to B, pixels.
        wa: half-width at A.
        wm: half-width in the middle.
        wb: half-width at B; a parabola joins the three.
        cap_a: how far the rounded end reaches beyond A.
        cap_b: how far it reaches beyond B.
    """
    if along < 0.0:
        width = max(wa, 0.3)
        beyond, cap = -along, max(cap_a, 0.3)
    elif along > length:
        width = max(wb, 0.3)
        beyond, cap = along - length, max(cap_b, 0.3)
    else:
        t = along / length
        width = max(wa + t * (4.0 * wm - 3.0 * wa - wb + t * 2.0 * (wa + wb - 2.0 * wm)), 0.3)
        return abs(across) - width, width
    rise, run = beyond / cap, across / width
    return (math.sqrt(rise * rise + run * run) - 1.0) * min(cap, width), width


@jit
def surface(part: Floats, px: float, py: float) -> tuple[float, float, float]:
    """Return where a pixel lies on a part: signed distance to its edge (negative inside), t along, s across in [-1, 1]."""
    dx, dy = part[BX] - part[AX], part[BY] - part[AY]
    length = max(math.sqrt(dx * dx + dy * dy), 1e-3)
    qx, qy = px - part[AX], py - part[AY]
    along, across = (qx * dx + qy * dy) / length, (qx * dy - qy * dx) / length
    distance, width = profile(along, across, length, part[WA], part[WM], part[WB], part[CAP_A], part[CAP_B])
    return distance, along / length, min(max(across / width, -1.0), 1.0)


@jit
def turn_of(s: float) -> float:
    """Return asin(s) / (2 pi) for s in [-1, 1], within 2e-5; no library sine, so equal on every machine.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 4.4.45.
    """
    a = abs(s)
    arc = 0.25 - math.sqrt(1.0 - a) * (0.24998915 + a * (-0.03375905 + a * (0.01181901 - a * 0.00298086)))
    return arc if s >= 0.0 else -arc


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
    for k in order:
        if parts[k, OPACITY] <= 0.0:
            continue
        ax, ay, wide, cap = parts[k, AX], parts[k, AY], _widest(parts[k]) + 0.5, _longest_cap(parts[k]) + 0.5
        dx, dy = parts[k, BX] - ax, parts[k, BY] - ay
        length = max(math.sqrt(dx * dx + dy * dy), 1e-3)
        ux, uy = dx / length, dy / length
        reach_x, reach_y = wide * abs(uy) + cap * abs(ux), wide * abs(ux) + cap * abs(uy)
        x0, x1 = max(int(min(ax, ax + dx) - reach_x), 0), min(int(max(ax, ax + dx) + reach_x) + 2, width)
        y0, y1 = max(int(min(ay, ay + dy) - reach_y), 0), min(int(max(ay, ay + dy) + reach_y) + 2, height)
        texture = textures[int(parts[k, TEXTURE])]
        for y in range(y0, y1):
            left, right = x0, x1
            if abs(uy) > 0.05:  # the band around the axis: most of the box around a slanting part lies off it
                middle, half = ax + (y - ay) * ux / uy, wide / abs(uy)
                left, right = max(x0, int(middle - half)), min(x1, int(middle + half) + 2)
            _draw_row(canvas[y], label[y], parts[k], k, texture, light, left, right, y)


@jit
def _widest(part: Floats) -> float:
    return float(max(part[WA], part[WM], part[WB], 0.3))


@jit
def _longest_cap(part: Floats) -> float:
    return float(max(part[CAP_A], part[CAP_B], 0.3))


@jit
def _draw_row(
    canvas: NDArray[np.float32],
    label: NDArray[np.uint8],
    part: Floats,
    k: int,
    texture: NDArray[np.float32],
    light: Floats,
    left: int,
    right: int,
    y: int,
) -> None:
    """Blend part ``k`` over the pixels ``left`` to ``right`` of row ``y``; many arguments, as numba compiles no records well."""
    ax, ay, wa, wm, wb = part[AX], part[AY], part[WA], part[WM], part[WB]
    cap_a, cap_b, turn, relief, opacity = part[CAP_A], part[CAP_B], part[TURN] + 1.0, part[RELIEF], part[OPACITY]
    dx, dy, size = part[BX] - ax, part[BY] - ay, texture.shape[0]
    length = max(math.sqrt(dx * dx + dy * dy), 1e-3)
    ux, uy, qy = dx / length, dy / length, y - ay
    for x in range(left, right):
        along, across = (x - ax) * ux + qy * uy, (x - ax) * uy - qy * ux
        distance, here = profile(along, across, length, wa, wm, wb, cap_a, cap_b)
        alpha = min(0.5 - distance, 1.0) * opacity
        if alpha <= 0.0:
            continue
        s = min(max(across / here, -1.0), 1.0)
        lit = light[2] + (1.0 - light[2]) * max(0.0, s * light[0] + math.sqrt(1.0 - s * s) * light[1])
        shade, under = np.float32((1.0 - relief + relief * lit) * alpha), np.float32(1.0 - alpha)
        u = turn + turn_of(s)
        u = (u - int(u)) * size
        v = min(max(along / length, 0.0), 0.999) * (size - 1)
        u0, v0 = int(u), int(v)
        fu, fv = np.float32(u - u0), np.float32(v - v0)
        u0 = u0 if u0 < size else 0
        u1 = u0 + 1 if u0 + 1 < size else 0
        for c in range(3):
            top = texture[v0, u0, c] + (texture[v0, u1, c] - texture[v0, u0, c]) * fu
            low = texture[v0 + 1, u0, c] + (texture[v0 + 1, u1, c] - texture[v0 + 1, u0, c]) * fu
            canvas[x, c] = canvas[x, c] * under + (top + (low - top) * fv) * shade
        if alpha >= 0.5 and relief > 0.0:
            label[x] = k + 1


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
    period = 2.0 * columns - 2.0
    left = np.empty(width, np.int64)
    weight = np.empty(width, np.float32)
    for x in range(width):
        sx = (x0 + x * zoom) % period
        if sx > columns - 1.001:
            sx = min(max(period - sx, 0.0), columns - 1.001)
        left[x] = int(sx)
        weight[x] = sx - left[x]
    for y in range(height):
        sy = min(max(y0 + y * zoom, 0.0), rows - 1.001)
        v = int(sy)
        fv = np.float32(sy - v)
        for x in range(width):
            u, fu = left[x], weight[x]
            for c in range(3):
                top = scene[v, u, c] + (scene[v, u + 1, c] - scene[v, u, c]) * fu
                low = scene[v + 1, u, c] + (scene[v + 1, u + 1, c] - scene[v + 1, u, c]) * fu
                canvas[y, x, c] = top + (low - top) * fv


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
