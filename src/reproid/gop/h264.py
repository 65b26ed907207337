"""Motion by an H.264 encoder: three ways to make it refer to the I-frame. T frames of H x W pixels, luma only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproid.gop._codec import Codec
from reproid.gop.motion import BLOCK, Flags, Floats, MotionField, accumulate, finish
from reproid.gop.vectors import block_vectors

Luma = NDArray[np.uint8]
_B_FRAMES = 4


class Pairs:
    """``h264-pairs``: every P-frame is encoded after its own copy of the I-frame, [I P1 | I P2 | ...].

    So each P-frame refers to the I-frame, as PSFormer, Sec. III-A, has it; in an ordinary stream it refers to the frame before.
    """

    def __init__(self) -> None:
        self._codec: Codec | None = None
        self._size = (0, 0)

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        height, width = luma.shape[1:]
        if self._codec is None or self._size != (height, width):
            self._codec, self._size = Codec(height=height, width=width, keyint=2), (height, width)
        codec = self._codec
        motion, known = _empty(luma)
        wanted = {codec.next_pts + 2 * t + 1: t for t in range(len(motion))}
        i_frame = codec.picture(luma[0])
        for p_frame in luma[1:]:
            for picture in (i_frame, codec.picture(p_frame)):
                _read(codec, codec.encode(picture), wanted, motion, known)
        return finish(motion, known, height=height, width=width)


class Bstar:
    """``h264-bstar``: the P-frames become B-frames that nothing refers to, between the I-frame and copies of it.

    [I B B B B I' B B B I'] for eight frames: I' is a P-frame without a residual.
    """

    def __init__(self) -> None:
        self._codec: Codec | None = None
        self._key = (0, 0, 0)

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        frames, height, width = luma.shape
        motion, known = _empty(luma)
        if frames == 1:
            return finish(motion, known, height=height, width=width)
        pictures = frames + -(-(frames - 1) // _B_FRAMES)
        if self._codec is None or self._key != luma.shape:
            keyint = pictures + _B_FRAMES + 1
            self._codec, self._key = Codec(height=height, width=width, keyint=keyint, b_frames=_B_FRAMES), (frames, height, width)
        codec = self._codec
        star, wanted = self._star(codec, luma)
        # The encoder holds B-frames back until it has seen as many more pictures, and cannot go on after a flush: so grey
        # P-frames, the cheapest of all, push each clip out. Only the first is decoded: the decoder lets go of the last B-frame.
        pushing = [codec.picture(np.full_like(luma[0], 128), p_frame=True)] * (_B_FRAMES + 1)
        first = codec.next_pts
        for picture in (*star, *pushing):
            packets = [packet for packet in codec.encode(picture) if first <= packet.pts <= first + pictures]
            _read(codec, packets, wanted, motion, known)
        return finish(motion, known, height=height, width=width)

    @staticmethod
    def _star(codec: Codec, luma: Luma) -> tuple[list[Any], dict[int, int]]:
        """Return the pictures in the order of display, and of the B-frames their numbers and which P-frames they are."""
        pictures = [codec.picture(luma[0])]
        copy = codec.picture(luma[0], p_frame=True)
        wanted = {}
        for t, p_frame in enumerate(luma[1:]):
            wanted[codec.next_pts + len(pictures)] = t
            pictures.append(codec.picture(p_frame))
            if (t + 1) % _B_FRAMES == 0 or t == len(luma) - 2:
                pictures.append(copy)
        return pictures, wanted


class Chain:
    """``h264-chain``: an ordinary stream, every P-frame after the frame before it; its vectors are added up to the I-frame."""

    def __init__(self) -> None:
        self._codec: Codec | None = None
        self._key = (0, 0, 0)

    def __call__(self, luma: Luma) -> MotionField:
        """Return the motion of ``luma`` [T, H, W]."""
        frames, height, width = luma.shape
        if self._codec is None or self._key != luma.shape:
            self._codec, self._key = Codec(height=height, width=width, keyint=max(frames, 2)), (frames, height, width)
        codec = self._codec
        steps, known = _empty(luma)
        wanted = {codec.next_pts + 1 + t: t for t in range(frames - 1)}
        for picture in luma if frames > 1 else ():
            _read(codec, codec.encode(codec.picture(picture)), wanted, steps, known)
        return accumulate(steps, known, height=height, width=width)


def _empty(luma: Luma) -> tuple[Floats, Flags]:
    frames, height, width = luma.shape
    shape = (frames - 1, height // BLOCK, width // BLOCK)
    return np.zeros((shape[0], 2, *shape[1:]), np.float32), np.zeros(shape, np.bool_)


def _read(codec: Codec, packets: list[Any], wanted: dict[int, int], motion: Floats, known: Flags) -> None:
    """Decode ``packets`` and write the vectors of the ``wanted`` pictures (number to place) into the field."""
    for packet in packets:
        for vectors in codec.decode(packet):
            t = wanted.get(vectors.pts)
            if t is not None and vectors.table is not None:
                block_vectors(vectors.table, motion[t], known[t])
