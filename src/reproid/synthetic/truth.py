"""What is known of every rendered image: joints, mask, occlusion, motion; and of every person: attributes. T frames."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reproid.errors import InputError
from reproid.synthetic import _draw as draw
from reproid.synthetic._body import parts_of
from reproid.synthetic._motion import block_means, pixel_displacement
from reproid.synthetic._skeleton import COCO, JOINTS
from reproid.synthetic._stage import Stage, make_stage
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import PlannedTracklet, World

IMAGES = pa.schema(
    [
        ("tracklet_id", pa.string()),
        ("image", pa.string()),
        ("frame", pa.int32()),
        ("pid", pa.int32()),
        ("camid", pa.int16()),
        ("azimuth", pa.float32()),
        ("joints", pa.list_(pa.float32())),
        ("mask", pa.list_(pa.int32())),
        ("occlusion", pa.float32()),
        ("reference", pa.int32()),
        ("displacement", pa.list_(pa.float32())),
        ("share", pa.list_(pa.float32())),
    ]
)
"""One row per image: see docs/synthetic.md for shapes and units."""

_ON_LIMB = {
    "shoulder": ("upper_arm", "sleeve"),
    "elbow": ("upper_arm", "forearm"),
    "wrist": ("forearm", "hand"),
    "hip": ("thigh", "shorts"),
    "knee": ("thigh", "shin"),
    "ankle": ("shin", "foot"),
}
_ON_TRUNK = {"shoulder": ("torso",), "hip": ("torso", "hips", "skirt"), "knee": ("skirt",), "ankle": ("skirt",)}


@dataclass(frozen=True, kw_only=True)
class FrameTruth:
    """What is known of one image of H x W pixels."""

    joints: NDArray[np.float32]
    """[17, 3]: x, y in pixels, and COCO's v: 0 outside the image, 1 hidden, 2 visible."""
    mask: NDArray[np.bool_]
    """The person's visible pixels [H, W]."""
    occlusion: float
    """Share of the person's pixels within the image that objects or other people hide; 0 where no pixel is the person's."""
    reference: int
    """Frame that motion is given against, 0-based in the tracklet."""
    displacement: NDArray[np.float32]
    """(dx, dy) [2, H // 16, W // 16], pixels: P(x, y) ~ I(x + dx, y + dy); NaN where nothing of the block is seen in I."""
    share: NDArray[np.float32]
    """Share of each block's pixels that its displacement stands for [H // 16, W // 16]."""


def frame_truths(world: World, tracklet: PlannedTracklet, stage: Stage, labels: list[NDArray[np.uint8]]) -> Iterator[FrameTruth]:
    """Yield the truth of each frame of a tracklet.

    Args:
        world: the set's plan.
        tracklet: one of its tracklets.
        stage: the staged tracklet.
        labels: part on top per pixel and frame, as `draw_frames` yields them: T times [H, W].
    """
    names = [part.name for part in parts_of(world.person(tracklet))]
    every = world.spec.truth_clip_frames
    for k, label in enumerate(labels):
        reference = k - k % every
        mask = _is_body(label, stage)
        moved = pixel_displacement(
            label, labels[reference], (stage.parts[k], stage.parts[reference]), (stage.scene_at[k], stage.scene_at[reference])
        )
        displacement, share = block_means(moved, mask)
        yield FrameTruth(
            joints=_joints(stage, k, label, names),
            mask=mask,
            occlusion=_occlusion(stage, k, mask),
            reference=reference,
            displacement=displacement,
            share=share,
        )


def motion_between(
    world: World, tracklet: PlannedTracklet, *, frame: int, reference: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the motion of the blocks of any frame against any other, for clips that do not start where the Parquet file says.

    Args:
        world: the set's plan.
        tracklet: one of its tracklets.
        frame: 0-based in the tracklet.
        reference: the frame I of P(x, y) ~ I(x + dx, y + dy), 0-based.

    Returns:
        (dx, dy) [2, H // 16, W // 16] and shares [H // 16, W // 16], as in `FrameTruth`.

    Raises:
        InputError: if the tracklet has no such frame.
    """
    for number in (frame, reference):
        if not 0 <= number < tracklet.frames:
            raise InputError("no such frame", where=tracklet.key, expected=f"0..{tracklet.frames - 1}", got=number)
    stage = make_stage(world, tracklet)
    labels = [label for _, label in draw_frames(world, tracklet, stage)]
    parts, scene_at = (stage.parts[frame], stage.parts[reference]), (stage.scene_at[frame], stage.scene_at[reference])
    return block_means(pixel_displacement(labels[frame], labels[reference], parts, scene_at), _is_body(labels[frame], stage))


def _is_body(label: NDArray[np.uint8], stage: Stage) -> NDArray[np.bool_]:
    return (label > stage.behind) & (label <= stage.behind + stage.body)


def _occlusion(stage: Stage, frame: int, mask: NDArray[np.bool_]) -> float:
    """Return the hidden share of the body, by drawing it once more without what stands in front."""
    order = stage.order[frame]
    if len(order) == stage.behind + stage.body:
        return 0.0
    alone = np.zeros(mask.shape, np.uint8)
    canvas = np.zeros((*mask.shape, 3), np.float32)
    draw.draw_parts(
        canvas, alone, stage.parts[frame], order[: stage.behind + stage.body], stage.textures, np.array([0.0, 1.0, 1.0])
    )
    whole = int(_is_body(alone, stage).sum())
    return 1.0 - int(mask.sum()) / whole if whole else 0.0


def _joints(stage: Stage, frame: int, label: NDArray[np.uint8], names: list[str]) -> NDArray[np.float32]:
    height, width = label.shape
    out = np.zeros((len(COCO), 3), np.float32)
    for j, name in enumerate(COCO):
        x, y, depth = stage.joints[frame, j]
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        visible = 0
        if 0 <= column < width and 0 <= row < height:
            part = int(label[row, column]) - 1 - stage.behind
            on_top = names[part] if 0 <= part < stage.body else ""
            nearer = depth - stage.joints[frame, _pair(name), 2].mean()
            visible = 2 if _shows(name, on_top, nearer) else 1
        out[j] = x, y, visible
    return out


def _pair(joint: str) -> list[int]:
    """Return the joints whose mean depth is that of the body there: both sides' joints, or both ears for the face."""
    _, _, kind = joint.partition("_")
    kind = "ear" if kind in ("", "eye", "ear") else kind
    return [JOINTS[f"left_{kind}"], JOINTS[f"right_{kind}"]]


def _shows(joint: str, on_top: str, nearer: float) -> bool:
    """Tell whether a joint is seen when ``on_top`` is the part at its pixel; ``nearer``: metres before the body's middle."""
    side, _, kind = joint.partition("_")
    if kind in ("", "eye", "ear"):
        return on_top == "head" and nearer > -0.01
    if on_top in {f"{side}_{part}" for part in _ON_LIMB[kind]}:
        return True
    # The trunk shows a joint only on the side that faces the camera.
    return on_top in _ON_TRUNK.get(kind, ()) and nearer > -0.06


def encode_mask(mask: NDArray[np.bool_]) -> list[int]:
    """Return COCO's uncompressed run lengths: columns one after the other, starting with the length of the first run of False."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    runs = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    return [0, *runs] if len(flat) and flat[0] else runs


def decode_mask(runs: list[int], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask [H, W] of COCO's uncompressed run lengths.

    Raises:
        ValueError: if the runs do not add up to H x W.
    """
    if sum(runs) != height * width:
        raise ValueError(f"runs must add up to {height * width}, got {sum(runs)}")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def truth_table(
    world: World, tracklet: PlannedTracklet, stage: Stage, labels: list[NDArray[np.uint8]], *, names: tuple[str, list[str]]
) -> pa.Table:
    """Return the rows of a tracklet's images, by the schema ``IMAGES``; ``names`` are its id and its images' paths."""
    truths = list(frame_truths(world, tracklet, stage, labels))
    n = len(truths)
    columns = {
        "tracklet_id": [names[0]] * n,
        "image": names[1],
        "frame": range(n),
        "pid": [tracklet.pid] * n,
        "camid": [tracklet.camid] * n,
        "azimuth": np.degrees(stage.azimuth),
        "joints": [np.round(t.joints, 2).ravel() for t in truths],
        "mask": [encode_mask(t.mask) for t in truths],
        "occlusion": [round(t.occlusion, 4) for t in truths],
        "reference": [t.reference for t in truths],
        "displacement": [np.round(t.displacement, 3).ravel() for t in truths],
        "share": [t.share.ravel() for t in truths],
    }
    return pa.table({name: pa.array(columns[name], type=IMAGES.field(name).type) for name in IMAGES.names}, schema=IMAGES)


def persons_table(world: World) -> pa.Table:
    """Return one row per person: pid, part of the set, attributes, gait, and whom a near-twin resembles."""
    rows = []
    for pid, person in world.persons.items():
        values = asdict(person)
        gait = {f"gait_{key}": value for key, value in values.pop("gait").items()}
        twin_of, differs_in = world.twins.get(pid, (None, None))
        subset = "train" if pid <= world.spec.train_persons else "test"
        rows.append({"pid": pid, "subset": subset, **values, **gait, "twin_of": twin_of, "differs_in": differs_in})
    return pa.Table.from_pylist(rows)
