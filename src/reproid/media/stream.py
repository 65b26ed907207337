"""A clip as a file that any player plays: one group of pictures of H.264 in MP4."""

import io

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_SECOND = 10
_QP = 20
# One closed group of pictures: an I-frame, and P-frames that refer to the frame before. One thread: equal clips give equal bytes.
_X264 = "bframes=0:scenecut=0:open-gop=0:mbtree=0:rc-lookahead=0:sync-lookahead=0:threads=1:lookahead-threads=1:sliced-threads=0"


def encode_stream(frames: NDArray[np.uint8]) -> bytes:
    """Return the MP4 file of a clip.

    Args:
        frames: uint8 [T, H, W, 3], RGB; H and W even.
    """
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        stream.codec_context.thread_count = 1
        keyint = f"keyint={max(len(frames), 2)}:min-keyint={max(len(frames), 2)}"
        stream.options = {"preset": "veryfast", "qp": str(_QP), "x264-params": f"{keyint}:{_X264}"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()
