"""H.264 through PyAV: an encoder and a decoder that stay open, and the motion vectors that the decoder exports."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproid.errors import InputError

ENCODER = "libx264"
X264 = {
    "scenecut": "0",
    "ref": "1",
    "weightp": "0",
    "mbtree": "0",
    "rc-lookahead": "0",
    "sync-lookahead": "0",
    "aq-mode": "0",
    "psy": "0",
    "trellis": "0",
    "threads": "1",  # several give other vectors on every repeat
    "lookahead-threads": "1",
    "sliced-threads": "0",
    "pbratio": "5",  # B-frames only: coarser residuals, so that vectors weigh more: faster, and more of them are right
    "partitions": "none",  # 16 x 16 only
    "constrained-intra": "1",  # else most blocks of sparsely sampled clips are coded without a vector
    "force-cfr": "1",  # else the encoder holds a frame back and vectors leak into the next clip
    "me": "umh",
    "subme": "3",  # with 1, a quarter of known quarter-pixel vectors come out wrong
    "merange": "32",
    "cpu-independent": "1",
}
"""What makes vectors good, repeatable, and independent of the pictures before: see docs/gop.md."""
_QP = 30


@dataclass(frozen=True, slots=True)
class Vectors:
    """What the decoder exported for one picture."""

    pts: int
    """The picture's number, as it was given to the encoder."""
    table: NDArray[Any] | None
    """A row per vector: source (-1 the past, 1 the future), w, h, dst_x, dst_y (the centre of what moves), motion_x, motion_y,
    motion_scale. None where every block is intra-coded."""


class Codec:
    """An encoder and a decoder for pictures of one size."""

    def __init__(self, *, height: int, width: int, keyint: int, b_frames: int = 0) -> None:
        import av

        options = {
            "keyint": str(keyint),
            "min-keyint": str(keyint),
            "bframes": str(b_frames),
            "b-adapt": "0",
            "b-pyramid": "none",
            "weightb": "0",
            "direct": "none",
            **X264,
        }
        try:
            encoder: Any = av.CodecContext.create(ENCODER, "w")
            decoder: Any = av.CodecContext.create("h264", "r")
        except av.codec.codec.UnknownCodecError as error:
            raise _missing(av.__version__) from error
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "gray", Fraction(1, 25)
        encoder.thread_count = decoder.thread_count = 1
        encoder.options = {
            "preset": "ultrafast",
            "qp": str(_QP),
            "forced-idr": "1",
            "x264-params": ":".join(f"{name}={value}" for name, value in options.items()),
        }
        decoder.options = {"flags2": "+export_mvs"}
        encoder.open()
        decoder.open()
        self._encoder, self._decoder = encoder, decoder
        self._frame, self._types = av.VideoFrame, av.video.frame.PictureType
        self.next_pts = 0
        """Number of the next picture."""

    def picture(self, luma: NDArray[np.uint8], *, p_frame: bool = False) -> Any:
        """Return a picture [H, W] as FFmpeg wants it; it may be encoded several times; ``p_frame``: as nothing else."""
        picture = self._frame.from_numpy_buffer(np.ascontiguousarray(luma), format="gray")  # copies nothing
        picture.pict_type = self._types.P if p_frame else self._types.NONE
        return picture

    def encode(self, picture: Any) -> list[Any]:
        """Return the packets that are ready after one more picture; their pts is its number."""
        picture.pts = self.next_pts
        self.next_pts += 1
        return list(self._encoder.encode(picture))

    def decode(self, packet: Any) -> Iterator[Vectors]:
        """Yield the vectors of the pictures that are ready after one more packet."""
        for frame in self._decoder.decode(packet):
            data = frame.side_data.get("MOTION_VECTORS")
            yield Vectors(pts=frame.pts, table=None if data is None else data.to_ndarray())


def _missing(version: str) -> InputError:
    return InputError(
        "this PyAV has no H.264 encoder",
        expected="libx264 in its FFmpeg, as in the wheels of PyAV",
        got=f"PyAV {version} without it",
        fix="Install requirements.txt, or take --method block-matching, which needs no codec",
    )
