"""From joints to drawable parts: which parts a person has, how wide they are, and which lies in front of which."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic import _draw as draw
from reproid.synthetic._person import Person
from reproid.synthetic._skeleton import JOINTS, Array, View
from reproid.synthetic._texture import TEXTURES

Widths = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a body; widths and caps in metres, at its upper end, middle and lower end."""

    name: str
    ends: tuple[str, str]
    sideways: Widths
    """Half-widths seen from the front."""
    deep: Widths
    """Half-widths seen from the side."""
    caps: tuple[float, float]
    texture: str
    nearer: float = 0.0
    """Metres by which the part counts as nearer to the camera when parts are sorted."""
    relief: float = 0.55


def _round(name: str, ends: tuple[str, str], widths: Widths, texture: str, *, nearer: float = 0.0) -> Part:
    return Part(name=name, ends=ends, sideways=widths, deep=widths, caps=(widths[0], widths[2]), texture=texture, nearer=nearer)


@lru_cache(maxsize=256)
def parts_of(person: Person) -> tuple[Part, ...]:
    """Return the parts of a person, in no particular order."""
    return (*_legs(person), *_trunk(person), *_arms(person), *_head(person), *_extras(person))


def _legs(person: Person) -> list[Part]:
    h, b = person.height, 0.45 + 0.55 * person.build
    kind, out = person.lower_kind, []
    bare = kind in ("shorts", "skirt", "long skirt")
    loose = 1.0 if bare else 1.12
    # Cloth that hangs over the legs stays before them, however far a leg swings forward.
    covered = kind.endswith("skirt") or person.upper_length != "waist"
    thigh_nearer, shin_nearer = (-0.30 if covered else -0.05), (-0.30 if kind == "long skirt" else -0.06)
    for side in ("left", "right"):
        cloth = "skin" if bare else "leg"
        thigh = (0.046 * h * b * loose, 0.044 * h * b * loose, 0.034 * h * b * loose)
        shin = (0.033 * h * b * loose, 0.034 * h * b * loose, (0.019 if bare else 0.026) * h * b)
        out.append(_round(f"{side}_thigh", (f"{side}_hip", f"{side}_knee"), thigh, cloth, nearer=thigh_nearer))
        out.append(_round(f"{side}_shin", (f"{side}_knee", f"{side}_ankle"), shin, cloth, nearer=shin_nearer))
        foot = (0.021 * h, 0.021 * h, 0.017 * h)
        out.append(_round(f"{side}_foot", (f"{side}_heel", f"{side}_toe"), foot, "shoe", nearer=-0.055))
        if kind == "shorts":
            shorts = (0.050 * h * b, 0.051 * h * b, 0.052 * h * b)
            out.append(
                Part(
                    name=f"{side}_shorts",
                    ends=(f"{side}_hip", f"{side}_mid_thigh"),
                    sideways=shorts,
                    deep=shorts,
                    caps=(0.05 * h, 0.005),
                    texture="leg",
                    nearer=thigh_nearer + 0.02,
                )
            )
    return out


def _trunk(person: Person) -> list[Part]:
    h, b = person.height, person.build
    wide, deep = 0.103 * h * person.shoulders * (0.75 + 0.25 * b), 0.052 * h * b
    waist, belly, hips = 0.082 * h * (0.55 + 0.45 * b), 0.058 * h * b, 0.089 * h * (0.55 + 0.45 * b)
    hem = {"waist": "pelvis", "hip": "hem_hip", "coat": "hem_coat"}[person.upper_length]
    flare = {"waist": 1.0, "hip": 1.06, "coat": 1.18}[person.upper_length]
    out = [
        Part(
            name="torso",
            ends=("chest", hem),
            sideways=(wide, waist, hips * flare),
            deep=(deep, belly, deep * 1.15 * flare),
            caps=(0.046 * h, 0.008 * h),
            texture="torso",
        ),
        Part(
            name="hips",
            ends=("pelvis", "hem_hip"),
            sideways=(hips, hips, hips * 0.94),
            deep=(deep * 1.15, deep * 1.25, deep * 1.1),
            caps=(0.01 * h, 0.03 * h),
            texture="hips",
            nearer=-0.02,
        ),
        _round("neck", ("head_low", "neck"), (0.026 * h, 0.027 * h, 0.034 * h), "skin", nearer=-0.04),
    ]
    if person.lower_kind.endswith("skirt"):
        long = person.lower_kind == "long skirt"
        out.append(
            Part(
                name="skirt",
                ends=("pelvis", "hem_long" if long else "hem_skirt"),
                sideways=(hips, hips * 1.15, hips * (1.5 if long else 1.32)),
                deep=(deep * 1.15, deep * 1.8, deep * (3.0 if long else 2.5)),
                caps=(0.01 * h, 0.012 * h),
                texture="leg",
                nearer=-0.01,
            )
        )
    return out


def _arms(person: Person) -> list[Part]:
    h, b = person.height, 0.5 + 0.5 * person.build
    long, out = person.sleeves == "long", []
    loose = 1.15 if long else 1.0
    for side in ("left", "right"):
        cloth = "sleeve" if long else "skin"
        upper = (0.027 * h * b * loose, 0.028 * h * b * loose, 0.023 * h * b * loose)
        fore = (0.023 * h * b * loose, 0.022 * h * b * loose, (0.019 if long else 0.015) * h * b)
        out.append(_round(f"{side}_upper_arm", (f"{side}_shoulder", f"{side}_elbow"), upper, cloth, nearer=0.02))
        out.append(_round(f"{side}_forearm", (f"{side}_elbow", f"{side}_wrist"), fore, cloth, nearer=0.025))
        out.append(
            _round(f"{side}_hand", (f"{side}_wrist", f"{side}_hand"), (0.013 * h, 0.017 * h, 0.012 * h), "skin", nearer=0.02)
        )
        if not long:
            cuff = (0.029 * h * b, 0.031 * h * b, 0.033 * h * b)
            out.append(_round(f"{side}_sleeve", (f"{side}_shoulder", f"{side}_cuff"), cuff, "sleeve", nearer=0.03))
    return out


def _head(person: Person) -> list[Part]:
    h = person.height
    skull = Part(
        name="head",
        ends=("head_high", "head_low"),
        sideways=(0.040 * h, 0.047 * h, 0.034 * h),
        deep=(0.046 * h, 0.054 * h, 0.036 * h),
        caps=(0.028 * h, 0.024 * h),
        texture="head",
        nearer=0.02,
        relief=0.4,
    )
    out = [skull]
    if person.hair_style in ("long", "bob"):
        wide = 0.052 * h if person.hair_style == "bob" else 0.056 * h
        out.append(_round("hair", ("hair_high", "hair_low"), (0.046 * h, wide, 0.040 * h), "hair", nearer=0.01))
    elif person.hair_style == "bun":
        out.append(_round("bun", ("bun", "bun"), (0.027 * h, 0.027 * h, 0.027 * h), "hair", nearer=0.0))
    if person.hat != "none":
        crown = (0.042 * h, 0.051 * h, 0.052 * h)
        out.append(
            Part(
                name="hat",
                ends=("cap_high", "cap_low"),
                sideways=crown,
                deep=tuple(1.12 * w for w in crown),  # type: ignore[arg-type]
                caps=(0.026 * h, 0.006 * h),
                texture="hat",
                nearer=0.05,
            )
        )
        if person.hat == "cap":
            out.append(_round("brim", ("brim_back", "brim_front"), (0.016 * h, 0.016 * h, 0.010 * h), "hat", nearer=0.06))
    return out


def _extras(person: Person) -> list[Part]:
    h = person.height
    if person.bag == "backpack":
        wide = (0.066 * h, 0.078 * h, 0.074 * h)
        deep = (0.040 * h, 0.052 * h, 0.055 * h)
        return [
            Part(name="bag", ends=("pack_high", "pack_low"), sideways=wide, deep=deep, caps=(0.03 * h, 0.02 * h), texture="bag")
        ]
    if person.bag == "shoulder bag":
        body, strap = (0.030 * h, 0.034 * h, 0.034 * h), (0.007 * h, 0.007 * h, 0.007 * h)
        deep = (0.060 * h, 0.066 * h, 0.066 * h)
        return [
            Part(
                name="bag",
                ends=("side_bag_high", "side_bag_low"),
                sideways=body,
                deep=deep,
                caps=(0.01 * h, 0.012 * h),
                texture="bag",
                nearer=0.03,
            ),
            _round("strap", ("strap_high", "side_bag_high"), strap, "bag", nearer=0.07),
        ]
    if person.bag == "handbag":
        body, deep = (0.018 * h, 0.022 * h, 0.024 * h), (0.040 * h, 0.055 * h, 0.060 * h)
        return [
            Part(
                name="bag",
                ends=("hand_bag_high", "hand_bag_low"),
                sideways=body,
                deep=deep,
                caps=(0.008 * h, 0.01 * h),
                texture="bag",
                nearer=0.01,
            )
        ]
    return []


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Parts of one body or object in the images of a tracklet."""

    parts: Array
    """[T, N, COLUMNS], pixels."""
    depth: Array
    """[T, N], metres towards the camera: larger is nearer."""


def place(person: Person, seen: Array, view: View, scale: Array, origin: Array) -> Placed:
    """Return the drawable parts of a person.

    Args:
        person: whose parts.
        seen: joints in the camera's frame, metres [T, J, 3].
        view: directions [T].
        scale: pixels per metre [T].
        origin: pixel (x, y) of the ground point below the person [T, 2].
    """
    parts = parts_of(person)
    frames = len(scale)
    table = np.zeros((frames, len(parts), draw.COLUMNS))
    ends = np.array([[JOINTS[name] for name in part.ends] for part in parts])
    pixels = seen[..., :2] * np.array([1.0, -1.0]) * scale[:, None, None] + origin[:, None]
    table[..., draw.AX : draw.BY + 1] = pixels[:, ends].reshape(frames, len(parts), 4)
    sideways, deep = (np.array([getattr(part, field) for part in parts]) for field in ("sideways", "deep"))
    ca, sa = np.cos(view.azimuth)[:, None, None], np.sin(view.azimuth)[:, None, None]
    table[..., draw.WA : draw.WB + 1] = np.sqrt((sideways * ca) ** 2 + (deep * sa) ** 2) * scale[:, None, None]
    caps = np.array([part.caps for part in parts])
    # Seen from above, the end of a wide part is an ellipse: its cap grows with the elevation.
    rise = np.maximum(caps, deep[:, ::2] * np.sin(view.elevation)[:, None, None])
    table[..., draw.CAP_A : draw.CAP_B + 1] = rise * scale[:, None, None]
    table[..., draw.TEXTURE] = [TEXTURES[part.texture] for part in parts]
    table[..., draw.TURN] = (0.5 - view.azimuth / (2 * np.pi))[:, None] % 1.0
    table[..., draw.RELIEF] = [part.relief for part in parts]
    table[..., draw.OPACITY] = 1.0
    depth = _distance(seen, view)[:, ends].mean(axis=2) + np.array([part.nearer for part in parts])
    return Placed(parts=table, depth=depth)


def _distance(seen: Array, view: View) -> Array:
    """Return how near each joint is, by its place on the ground alone, [T, J].

    Parts of an upright body hide each other front against back; counting heights too would put long hair before the chest as
    soon as the camera looks down. A small share of the height lets the head cover the shoulders seen from above.
    """
    ce, se = np.cos(view.elevation)[:, None], np.sin(view.elevation)[:, None]
    towards = seen[..., 2] * ce - seen[..., 1] * se
    high = seen[..., 1] * ce + seen[..., 2] * se
    return np.asarray(towards + 0.12 * se * high)


def shadow(seen: Array, scale: Array, origin: Array, *, elevation: Array, darkness: float) -> NDArray[np.float64]:
    """Return the soft shadow under the feet as drawable parts [T, 3, COLUMNS]; it belongs to nobody's mask."""
    table = np.zeros((len(scale), 3, draw.COLUMNS))
    for k, grow in enumerate((1.0, 0.75, 0.5)):
        for column, sign in ((draw.AX, -1), (draw.BX, 1)):
            table[:, k, column] = origin[:, 0] + sign * 0.10 * grow * scale + seen[:, JOINTS["pelvis"], 0] * scale
        table[:, k, draw.AY] = table[:, k, draw.BY] = origin[:, 1]
        thick = scale * 0.24 * grow * (0.15 + np.sin(elevation))
        for column in (draw.WA, draw.WM, draw.WB):
            table[:, k, column] = thick
        table[:, k, draw.CAP_A] = table[:, k, draw.CAP_B] = scale * 0.26 * grow
        table[:, k, draw.OPACITY] = darkness
    table[..., draw.TEXTURE] = TEXTURES["shadow"]
    return table
