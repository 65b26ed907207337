"""Small videos in several codecs, of a picture that slides, and damage done to them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from support.moving_blocks import texture

FRAMES, HEIGHT, WIDTH, STEP = 12, 64, 96, 4
CODECS = {
    "h264-b-frames": ("libx264", ".mp4", {"bf": "2", "preset": "medium", "x264-params": "threads=1"}),
    "h264-mkv": ("libx264", ".mkv", {"bf": "0", "preset": "medium", "x264-params": "threads=1"}),
    "mpeg4": ("mpeg4", ".avi", {"bf": "2", "q:v": "3"}),
    "mjpeg": ("mjpeg", ".avi", {"q:v": "2"}),
    "vp9": ("libvpx-vp9", ".webm", {"crf": "20", "b": "0"}),
    "ffv1": ("ffv1", ".mkv", {"slicecrc": "1", "level": "3"}),
}


def sliding_picture() -> NDArray[np.uint8]:
    """Return the frames [T, H, W, 3] of the videos: the picture slides `STEP` pixels to the left per frame."""
    wide = ndimage.gaussian_filter(texture(np.random.default_rng(3), HEIGHT, WIDTH + STEP * FRAMES), 2)
    grey = np.stack([wide[:, STEP * t : STEP * t + WIDTH] for t in range(FRAMES)])
    return np.repeat(grey[..., None], 3, axis=-1)


def write_video(folder: Path, codec: str) -> Path:
    name, suffix, options = CODECS[codec]
    path = folder / f"{codec}{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(name, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if name == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in sliding_picture():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def with_packet(path: Path, number: int, change: "Change", suffix: str = ".mkv") -> Path:
    """Return a copy of a video, one of whose packets holds other bytes; None drops it."""
    out = path.with_name(f"changed{suffix}")
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for k, packet in enumerate(source.demux(video=0)):
            if packet.dts is None:
                continue
            content = change(bytes(packet)) if k == number else bytes(packet)
            copy = av.Packet(content)
            copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, packet.is_keyframe
            copy.duration = packet.duration or int(Fraction(1, 10) / packet.time_base)
            copy.stream = stream
            target.mux(copy)
    return out


class Change:
    """What is done to a packet's bytes."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, content: bytes) -> bytes:
        middle = len(content) // 2
        if self.kind == "cut off":
            return content[:middle]
        if self.kind == "zeros":
            return content[:8] + bytes(len(content) - 8)
        assert self.kind == "noise"
        noise = np.random.default_rng(0).integers(0, 256, middle, dtype=np.uint8).tobytes()
        return content[: len(content) - middle] + noise
