"""Where the joints are: a walking skeleton in metres, and its view from a camera.

Person frame: x to the person's left, y forward, z up, the ground at 0. T frames, J joints.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reproid.synthetic._person import Person

Array = NDArray[np.float64]
Put = Callable[[str, Array | float, Array | float, Array | float], None]
At = Callable[[str], tuple[Array, Array, Array]]

COCO = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""The 17 joints of COCO, in its order."""
HELPERS = (
    *("head_low", "head_high", "neck", "chest", "pelvis", "hem_hip", "hem_coat", "hem_skirt", "hem_long"),
    *("left_toe", "right_toe", "left_heel", "right_heel", "left_hand", "right_hand", "left_mid_thigh", "right_mid_thigh"),
    *("left_cuff", "right_cuff", "hair_high", "hair_low", "bun", "cap_high", "cap_low", "brim_back", "brim_front"),
    *("pack_high", "pack_low", "side_bag_high", "side_bag_low", "strap_high", "hand_bag_high", "hand_bag_low", "ground"),
)
"""Further points that body parts hang on."""
JOINTS = {name: index for index, name in enumerate(COCO + HELPERS)}

_SIDES = (("left", 1.0), ("right", -1.0))


@dataclass(frozen=True, kw_only=True)
class View:
    """How a camera sees the walk, per frame: all arrays [T]."""

    azimuth: Array
    """Radians; 0 sees the face, pi/2 the right side of a person who walks to the right of the image."""
    elevation: Array
    """Radians above the horizon from which the camera looks down."""


def walk(person: Person, phase: Array) -> Array:
    """Return the joints of a walking person, metres [T, J, 3].

    Args:
        person: the body and the gait.
        phase: position in the cycle of two steps, radians [T].
    """
    h, gait = person.height, person.gait
    out = np.zeros((len(phase), len(JOINTS), 3))

    def put(name: str, x: Array | float, y: Array | float, z: Array | float) -> None:
        out[:, JOINTS[name]] = np.stack(np.broadcast_arrays(x, y, z, phase)[:3], axis=1)

    def at(name: str) -> tuple[Array, Array, Array]:
        x, y, z = out[:, JOINTS[name]].T
        return x, y, z

    _put_trunk(person, phase, put)
    for side, sign in _SIDES:
        swing = phase if side == "left" else phase + np.pi
        hip = gait.stride * np.sin(swing) + 0.04
        bend = 0.08 + gait.knee * np.maximum(0.0, np.cos(swing)) ** 2
        _put_leg(h, side, (hip, bend), put, at)
        upper = -gait.arms * np.sin(swing)
        fore = upper + gait.elbow + 0.35 * np.maximum(0.0, upper)
        _put_arm(h, side, sign, (upper, fore), put, at)
    _put_bags(person, put, at)
    # The lower foot stands on the ground: this makes the body bob as it walks.
    feet = [JOINTS[name] for name in ("left_toe", "right_toe", "left_heel", "right_heel")]
    out[:, :, 2] -= out[:, feet, 2].min(axis=1)[:, None] - 0.012 * h
    out[:, JOINTS["ground"], 2] = 0.0
    return out


def _put_trunk(person: Person, phase: Array, put: Put) -> None:
    h, lean = person.height, person.gait.lean
    sway, twist = 0.008 * h * np.cos(phase), 0.10 * np.sin(phase) * (person.gait.arms + 0.3)

    def trunk(name: str, x: float, y: float, z: float, turn: float = 1.0) -> None:
        angle = twist * turn
        forward = y + (z - 0.52) * np.tan(lean)
        put(
            name,
            sway + h * (x * np.cos(angle) - forward * np.sin(angle)),
            h * (x * np.sin(angle) + forward * np.cos(angle)),
            h * z,
        )

    shoulder = 0.098 * person.shoulders * (0.8 + 0.2 * person.build)
    for side, sign in _SIDES:
        trunk(f"{side}_shoulder", sign * shoulder, 0.0, 0.812)
        trunk(f"{side}_hip", sign * 0.05, 0.0, 0.525, -1.0)
        trunk(f"{side}_eye", sign * 0.018, 0.050, 0.942, 0.0)
        trunk(f"{side}_ear", sign * 0.043, 0.0, 0.932, 0.0)
    for name, y, z in (
        *(
            ("nose", 0.060, 0.926),
            ("head_low", 0.006, 0.888),
            ("head_high", 0.0, 0.972),
            ("neck", 0.0, 0.868),
            ("chest", 0.0, 0.818),
        ),
        *(
            ("pelvis", 0.0, 0.535),
            ("hem_hip", 0.0, 0.475),
            ("hem_coat", 0.0, 0.36),
            ("hem_skirt", 0.0, 0.31),
            ("hem_long", 0.0, 0.12),
        ),
        *(("hair_high", -0.030, 0.945), ("bun", -0.052, 0.975), ("cap_high", 0.0, 0.985), ("cap_low", 0.0, 0.958)),
        *(("brim_back", 0.03, 0.958), ("brim_front", 0.085, 0.950), ("pack_high", -0.105, 0.790), ("pack_low", -0.110, 0.600)),
    ):
        trunk(name, 0.0, y, z, 0.0 if z > 0.87 or z < 0.53 else 1.0)
    trunk("hair_low", 0.0, -0.042, 0.885 if person.hair_style == "bob" else 0.76, 0.0)
    trunk("ground", 0.0, 0.0, 0.52, 0.0)


def _put_leg(h: float, side: str, angles: tuple[Array, Array], put: Put, at: At) -> None:
    hip, bend = angles
    shin = hip - bend
    x, y, z = at(f"{side}_hip")
    for name, angle, length in ((f"{side}_mid_thigh", hip, 0.17), (f"{side}_knee", hip, 0.245)):
        put(name, x * 0.92, y + h * length * np.sin(angle), z - h * length * np.cos(angle))
    x, y, z = at(f"{side}_knee")
    put(f"{side}_ankle", x * 0.9, y + 0.235 * h * np.sin(shin), z - 0.235 * h * np.cos(shin))
    x, y, z = at(f"{side}_ankle")
    pitch = 0.75 * np.minimum(shin, 0.1)
    put(f"{side}_heel", x, y - 0.018 * h, z - 0.024 * h)
    put(f"{side}_toe", x * 1.15, y + 0.098 * h * np.cos(pitch), z - 0.028 * h + 0.098 * h * np.sin(pitch))


def _put_arm(h: float, side: str, sign: float, angles: tuple[Array, Array], put: Put, at: At) -> None:
    upper, fore = angles
    x, y, z = at(f"{side}_shoulder")
    for name, length in ((f"{side}_cuff", 0.105), (f"{side}_elbow", 0.172)):
        put(name, x + sign * 0.15 * length * h, y + h * length * np.sin(upper), z - h * length * np.cos(upper))
    x, y, z = at(f"{side}_elbow")
    put(f"{side}_wrist", x + sign * 0.006 * h, y + 0.145 * h * np.sin(fore), z - 0.145 * h * np.cos(fore))
    put(f"{side}_hand", x + sign * 0.004 * h, y + 0.185 * h * np.sin(fore), z - 0.185 * h * np.cos(fore))


def _put_bags(person: Person, put: Put, at: At) -> None:
    h = person.height
    x, y, z = at("left_hip")
    put("side_bag_high", x + 0.075 * h * person.build, y - 0.02 * h, z + 0.03 * h)
    put("side_bag_low", x + 0.080 * h * person.build, y - 0.02 * h, z - 0.055 * h)
    x, y, z = at("right_shoulder")
    put("strap_high", x * 0.45, y, z + 0.015 * h)
    x, y, z = at("right_hand")
    put("hand_bag_high", x, y, z - 0.015 * h)
    put("hand_bag_low", x, y, z - 0.095 * h)


def project(points: Array, view: View) -> Array:
    """Return metres [T, J, 3] in the camera's frame: right of the image, up in the image, towards the camera."""
    ca, sa = np.cos(view.azimuth)[:, None], np.sin(view.azimuth)[:, None]
    ce, se = np.cos(view.elevation)[:, None], np.sin(view.elevation)[:, None]
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    right, towards = x * ca + y * sa, y * ca - x * sa
    return np.stack([right, z * ce - towards * se, towards * ce + z * se], axis=-1)
