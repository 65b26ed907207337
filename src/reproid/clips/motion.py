"""Groups of pictures of clips: found where the clip is made, after sampling.

Shapes: T frames of H x W pixels, h x w = H/16 x W/16 patches.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from reproid.catalog.settings import Clips, Gop
from reproid.clips.augment import erase, pad_and_crop
from reproid.gop import Extractor
from reproid.gop.mirror import mirrored
from reproid.gop.result import check_method
from reproid.gop.warp import residual, warp


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Motion of one clip."""

    motion: Tensor
    """float32 [T-1, 2, h, w], pixels."""
    valid: Tensor
    """bool [T-1, h, w]."""
    residual: Tensor | None = None
    """float32 [T-1, 3, H, W], where it is not that of the clip's frames."""


class MotionOfClips:
    """Finds the motion of clips; each process that uses it keeps an encoder of its own."""

    def __init__(self, settings: Gop) -> None:
        self.settings = settings
        self._extract = Extractor(check_method(settings.method))

    def find(self, frames: Tensor) -> Motion:
        """Return the motion of a clip, uint8 [T, 3, H, W]."""
        found = self._extract(frames.permute(0, 2, 3, 1))
        return Motion(motion=found.motion, valid=found.valid)

    def augment(self, frames: Tensor, settings: Clips, rng: np.random.Generator) -> tuple[Tensor, Tensor, Motion]:
        """Do what `reproid.clips.augment.augment` does, draw by draw, and find the motion.

        A mirrored clip has the mirrored motion of the clip, not what an encoder would make of the mirror image. What random
        erasing does is in the settings.

        Returns:
            The frames, bool [T]: which of them lost a rectangle, and the motion.
        """
        mirror = rng.random() < settings.flip
        whole = frames.flip(-1) if mirror else frames
        if settings.pad:
            whole = pad_and_crop(whole, settings.pad, rng)
        seen, erased = erase(whole, settings.erasing, rng)
        encoded = seen if self.settings.erasing == "encode" else whole
        found = self.find(encoded.flip(-1) if mirror else encoded)
        motion, valid = mirrored(found.motion, found.valid) if mirror else (found.motion, found.valid)
        kept = residual(whole, warp(whole[0], motion)) if self.settings.erasing == "keep" else None
        return seen, erased, Motion(motion=motion, valid=valid, residual=kept)
