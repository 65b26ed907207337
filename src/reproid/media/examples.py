"""Some clips to look at, as the report shows them: pictures, vectors, and where the residual's energy lies."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reproid.gop.result import GroupOfPictures

MOST_CLIPS = 4
BRIGHTEST = 4.0
"""The residual's mean absolute value is shown so many times as bright."""


def example(found: GroupOfPictures, *, tracklet_id: str, clip: int, positions: list[int]) -> dict[str, Any]:
    """Return one clip as plain data.

    Keys: tracklet_id, clip, positions, height, width, i_frame (JPEG, base64) and, per P-frame: picture, warped, residual (JPEGs),
    motion [[dx, dy], ...] in pixels and valid [...], block by block in row-major order, energy (mean square of the residual).
    """
    frames = found.frames.permute(0, 2, 3, 1).numpy()
    warped = found.warped.permute(0, 2, 3, 1).numpy()
    p_frames = [
        {
            "picture": jpeg(frames[t + 1]),
            "warped": jpeg(warped[t]),
            "residual": jpeg(shown_residual(found.residual[t].numpy())),
            "motion": found.motion[t].flatten(1).T.tolist(),
            "valid": found.valid[t].flatten().tolist(),
            "energy": round(float(found.residual[t].double().square().mean()), 3),
        }
        for t in range(len(warped))
    ]
    return {
        "tracklet_id": tracklet_id,
        "clip": clip,
        "positions": positions,
        "height": frames.shape[1],
        "width": frames.shape[2],
        "i_frame": jpeg(frames[0]),
        "p_frames": p_frames,
    }


def shown_residual(residual: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a picture [H, W] of a residual [3, H, W]: its mean absolute value over the channels, brighter where more is left."""
    shown: NDArray[np.uint8] = np.clip(BRIGHTEST * np.abs(residual).mean(0), 0, 255).astype(np.uint8)
    return shown


def jpeg(picture: NDArray[np.uint8]) -> str:
    """Return a picture [H, W] or [H, W, 3] as JPEG in base64."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return base64.b64encode(buffer.getvalue()).decode()
