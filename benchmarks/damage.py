"""How often damage within a packet of a video is seen when the video is read, by codec and size of the damage.

    python benchmarks/damage.py --out benchmarks/damage.json     two minutes on one core

A run of bytes at a random place within a random packet is replaced by random ones, and the file read as `folder` data sets and
`reproid gop` read it. *Seen*: an error names file and frame. *Harmless*: all pictures are those of the whole file. *Unseen*: the
rest, pictures that are wrong and pass. Formats of the encoders' defaults; ffv1 with checksums, as archives use it.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from _measure import machine
from numpy.typing import NDArray

from reproid.catalog.synthetic import RENDERER_REVISION, SyntheticSpec
from reproid.datasets.video import read_video
from reproid.errors import InputError
from reproid.files import write_json
from reproid.synthetic.frames import draw_frames
from reproid.synthetic.plan import make_world

CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    "H.264": ("libx264", ".mp4", {}),
    "MPEG-4 part 2": ("mpeg4", ".avi", {}),
    "MPEG-2": ("mpeg2video", ".mkv", {}),
    "Motion JPEG": ("mjpeg", ".avi", {}),
    "FFV1": ("ffv1", ".mkv", {"slicecrc": "1", "level": "3"}),
    "HEVC": ("libx265", ".mp4", {"x265-params": "log-level=none"}),
    "VP9": ("libvpx-vp9", ".webm", {"crf": "30", "b": "0"}),
}
DAMAGED_BYTES = (1, 16, 256)


def main() -> None:
    """Damage every codec's file many times and write what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=60)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for codec in CODECS:
            whole = written(Path(name), codec, people())
            for count in DAMAGED_BYTES:
                rows.append({"codec": codec, "bytes": count} | outcomes(whole, count, arguments.trials))
                print(rows[-1], file=sys.stderr, flush=True)
    write_json(
        arguments.out, {"machine": machine(), "ffmpeg": av.ffmpeg_version_info, "renderer": RENDERER_REVISION, "rows": rows}
    )


def people() -> NDArray[np.uint8]:
    """Return 48 frames of six persons, uint8 [48, 256, 128, 3]."""
    world = make_world(SyntheticSpec(height=256, width=128, frames=(8, 8), short_tracklets=0, junk=0, distractors=0))
    tracklets = world.tracklets[:: len(world.tracklets) // 6][:6]
    return np.stack([image for tracklet in tracklets for image, _ in draw_frames(world, tracklet)])


def written(folder: Path, codec: str, frames: NDArray[np.uint8]) -> Path:
    """Return a video of the frames."""
    encoder, suffix, options = CODECS[codec]
    path = folder / f"whole-{encoder}{suffix}"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(encoder, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 256, "yuvj420p" if encoder == "mjpeg" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def outcomes(whole: Path, count: int, trials: int) -> dict[str, Any]:
    """Return in what share of the trials damage to ``count`` bytes was seen, harmless, and unseen."""
    rng = np.random.default_rng(count)
    content, clean = whole.read_bytes(), pictures(whole)
    with av.open(str(whole)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0)]
    places = [(start, size) for start, size in packets if start is not None and size > count + 16]
    tally = {"seen": 0, "harmless": 0, "unseen": 0}
    for _ in range(trials):
        start, size = places[rng.integers(len(places))]
        at = start + 8 + int(rng.integers(size - count - 8))
        damage = rng.integers(0, 256, count, dtype=np.uint8)
        damage[0] ^= (int(damage[0]) == content[at]) * 255  # never what was there
        changed = whole.with_stem("damaged")
        changed.write_bytes(content[:at] + damage.tobytes() + content[at + count :])
        try:
            found = pictures(changed)
        except InputError:
            tally["seen"] += 1
        else:
            tally["harmless" if found.shape == clean.shape and (found == clean).all() else "unseen"] += 1
    return {name: round(value / trials, 3) for name, value in tally.items()}


def pictures(path: Path) -> NDArray[np.uint8]:
    """Return the frames that are read."""
    return np.stack([picture.frame.to_ndarray(format="rgb24") for picture in read_video(path)])


if __name__ == "__main__":
    main()
