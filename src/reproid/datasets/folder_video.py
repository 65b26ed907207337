"""Videos with boxes: every box is cut out once, to JPEGs ``crops/<stem>/<pid>/<frame>.jpg``.

They lie in tar shards (`reproid.datasets.shards`), in ``crops/<stem>/shards`` beside the videos.
"""

import hashlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from reproid.datasets._read import RawTracklet
from reproid.datasets.folder_boxes import Box, read_boxes
from reproid.datasets.shard_writer import ShardWriter
from reproid.datasets.shards import FOLDER, open_shards
from reproid.datasets.video import read_video
from reproid.errors import InputError
from reproid.files import read_json, write_json

SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".webm")
CROPS, MARKER = "crops", "crops.json"
QUALITY = 95
REVISION = 2
"""Raised when the same inputs would give other crops, or other files of them."""


@dataclass(frozen=True, kw_only=True)
class Video:
    """A video and the file of its boxes."""

    path: Path
    boxes: Path
    camid: int


def find_videos(root: Path) -> tuple[Video, ...]:
    """Return the videos of a folder, sorted by name; cameras count from 0.

    Raises:
        InputError: if a video has no file of boxes or two videos share a stem.
    """
    paths = sorted(path for path in root.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    stems = [path.stem for path in paths]
    for path in paths:
        if stems.count(path.stem) > 1:
            raise InputError("two videos share a name", where=root, expected="one per camera", got=f"{path.stem}.*")
    return tuple(Video(path=path, boxes=_boxes_of(path), camid=camid) for camid, path in enumerate(paths))


def read_videos(root: Path, videos: Sequence[Video]) -> tuple[RawTracklet, ...]:
    """Crop what is not cropped yet, and return a tracklet per person and video.

    Raises:
        InputError: names the file of boxes and the line, or the video and the frame.
    """
    return tuple(tracklet for video in videos for tracklet in _read_video(root, video))


def _boxes_of(path: Path) -> Path:
    names = [f"{path.stem}{end}" for end in (".boxes.csv", ".csv", ".boxes.txt", ".txt")]
    found = [path.with_name(name) for name in names if path.with_name(name).is_file()]
    if len(found) != 1:
        got = ", ".join(one.name for one in found) or "none"
        raise InputError("a video needs one file of boxes", where=path, expected=" or ".join(names), got=got)
    return found[0]


def _read_video(root: Path, video: Video) -> list[RawTracklet]:
    boxes = read_boxes(video.boxes)
    about = {"revision": REVISION, "video": _digest(video.path), "boxes": _digest(video.boxes)}
    folder = root / CROPS / video.path.stem
    if open_shards(folder) is None or not (folder / MARKER).is_file() or read_json(folder / MARKER) != about:
        with _new_folder(folder) as temporary:
            with ShardWriter(temporary / FOLDER) as writer:
                _crop(video, boxes, writer)
            write_json(temporary / MARKER, about)
    frames: dict[int, list[str]] = {}
    for box in boxes:
        frames.setdefault(box.pid, []).append((folder / _name(box)).relative_to(root).as_posix())
    return [
        RawTracklet(tracklet_id=f"{pid}/{video.path.stem}", pid=pid, camid=video.camid, subset="test", frames=tuple(names))
        for pid, names in sorted(frames.items())
    ]


def _crop(video: Video, boxes: list[Box], writer: ShardWriter) -> None:
    waiting: dict[int, list[Box]] = {}
    for box in boxes:
        waiting.setdefault(box.frame, []).append(box)
    last, seen = boxes[-1], 0
    bar = tqdm(
        total=last.frame + 1, unit="frame", desc=f"crop {video.path.name}", file=sys.stderr, disable=not sys.stderr.isatty()
    )
    for one in read_video(video.path):
        number, seen, picture = one.number, one.number + 1, one.frame.to_image()
        bar.update()
        for box in waiting.pop(number, []):
            writer.add(_name(box), _cut(picture, box, video))
        if number == last.frame:
            break
    bar.close()
    if waiting:
        raise InputError("the video ends before its boxes do", where=f"{video.boxes}, line {last.line}",
                         expected=f"at most {seen:,} frames, which {video.path.name} has", got=f"frame {last.frame:,} (from 0)",
                         fix="Take the boxes of this video; frames count from 0 below a head, from 1 without one")  # fmt: skip


def _cut(picture: Image.Image, box: Box, video: Video) -> bytes:
    """Return the part of a picture in a box, as JPEG."""
    area = box.clipped(*picture.size)
    if area is None:
        raise InputError("a box lies outside the picture", where=f"{video.boxes}, line {box.line}",
                         expected=f"within {picture.width} x {picture.height} pixels",
                         got=f"x {box.x:g}, y {box.y:g}, w {box.w:g}, h {box.h:g}")  # fmt: skip
    buffer = io.BytesIO()
    picture.crop(area).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder that takes the place of ``folder`` when the block ends well; only crops of an earlier call are replaced."""
    if folder.exists() and not (folder / MARKER).is_file() and any(folder.iterdir()):
        raise InputError(
            "the folder of crops holds something else", where=folder, expected=f"nothing, or a {MARKER}", fix="Move it"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise InputError(
            f"crops cannot be written ({error.strerror})", where=folder, fix="Copy the videos to your own folder"
        ) from error
    try:
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _name(box: Box) -> str:
    return f"{box.pid}/{box.frame:06d}.jpg"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
