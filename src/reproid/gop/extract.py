"""The one way from a clip to its group of pictures, whatever the method."""

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reproid.errors import InputError
from reproid.gop.finders import MotionFinder, finder
from reproid.gop.luma import luma_of
from reproid.gop.motion import BLOCK
from reproid.gop.result import GroupOfPictures, Method, check_method

Frames = Tensor | NDArray[np.uint8]


class Extractor:
    """Makes groups of pictures with one method; keeps what is costly to open, as encoders, for the next clip.

    Nothing carries over from one clip to the next: vectors depend on the clip alone. What is kept belongs to the process
    that made it: a forked or spawned worker opens its own, so an extractor may be part of a data set that loader workers copy.
    """

    def __init__(self, method: Method = "h264-pairs") -> None:
        self.method = check_method(method)
        self._finder: MotionFinder | None = None
        self._process = 0

    def __call__(self, frames: Frames) -> GroupOfPictures:
        """Return the group of pictures of a clip; its first frame is the I-frame.

        Args:
            frames: uint8 [T, H, W, 3], RGB; T >= 1, H and W >= 16, of any device.

        Raises:
            InputError: if the clip has another shape or type, or the codec is missing.
        """
        clip = _checked(frames)
        found = self._own_finder()(luma_of(clip))
        return GroupOfPictures(
            frames=clip,
            motion=torch.from_numpy(found.motion).to(clip.device),
            valid=torch.from_numpy(found.valid).to(clip.device),
            method=self.method,
        )

    def _own_finder(self) -> MotionFinder:
        if self._finder is None or self._process != os.getpid():
            self._finder, self._process = finder(self.method), os.getpid()
        return self._finder

    def __getstate__(self) -> dict[str, Any]:
        return {"method": self.method, "_finder": None, "_process": 0}


_EXTRACTORS: dict[Method, Extractor] = {}


def group_of_pictures(frames: Frames, *, method: Method = "h264-pairs") -> GroupOfPictures:
    """Return the group of pictures of a clip, with the process's own `Extractor` of ``method``."""
    return _EXTRACTORS.setdefault(method, Extractor(method))(frames)


def _checked(frames: Frames) -> Tensor:
    """Return the clip as uint8 [T, 3, H, W], contiguous."""
    # torch takes neither negative strides nor, without a warning, arrays that cannot be written
    clip = torch.from_numpy(np.require(frames, requirements=["C", "W"])) if isinstance(frames, np.ndarray) else frames
    if clip.dtype != torch.uint8 or clip.ndim != 4 or clip.shape[-1] != 3:
        raise InputError(
            "not a clip",
            expected="uint8 [T, H, W, 3], RGB",
            got=f"{str(clip.dtype).removeprefix('torch.')} {list(clip.shape)}",
        )
    if clip.shape[0] < 1 or min(clip.shape[1:3]) < BLOCK:
        raise InputError(
            "the clip is too small", expected=f"a frame or more, of {BLOCK} x {BLOCK} pixels or more", got=list(clip.shape)
        )
    return clip.permute(0, 3, 1, 2).contiguous()
