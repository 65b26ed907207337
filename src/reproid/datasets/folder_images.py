"""Images in folders: pid/camid/, Market-1501's names, camera_object names. And a look into every image."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from reproid.datasets._read import RawTracklet
from reproid.datasets.index import Subset
from reproid.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")
_MARKET = re.compile(r"(?P<pid>-1|\d{1,9})_c(?P<camera>\d{1,4})s(?P<sequence>\d{1,6})_(?P<frame>\d{1,9})_(?P<box>\d{1,4})\.\w+")
_CAMERA_OBJECT = re.compile(r"(?P<camera>\d{1,4})_(?P<pid>\d{1,9})\.\w+")
_IGNORED = ("Thumbs.db",)


@dataclass(frozen=True, kw_only=True, order=True)
class ImageName:
    """What the name of an image says."""

    tracklet: str
    pid: int
    camid: int
    frame: int = 0
    box: int = 0


def parse_image_name(name: str) -> ImageName | None:
    """Return what a name in Market-1501's or the camera_object form says; None for another name."""
    if market := _MARKET.fullmatch(name):
        pid, camera = int(market["pid"]), int(market["camera"])
        tracklet = f"{market['pid']}_c{market['camera']}s{market['sequence']}"
        if camera > 0:
            return ImageName(tracklet=tracklet, pid=pid, camid=camera - 1, frame=int(market["frame"]), box=int(market["box"]))
    if found := _CAMERA_OBJECT.fullmatch(name):
        return ImageName(tracklet=name.rpartition(".")[0], pid=int(found["pid"]), camid=int(found["camera"]))
    return None


def parse_id(text: str, kind: str, *, where: object) -> int:
    """Return a person's or a camera's number.

    Raises:
        InputError: if it is none; names where it stands.
    """
    least = -1 if kind == "pid" else 0
    most = 2**31 - 1 if kind == "pid" else 2**15 - 1
    if not re.fullmatch(r"-1|\d{1,10}", text.strip(), flags=re.ASCII) or not least <= int(text) <= most:
        raise InputError(f"{kind} is no number of a {'person' if kind == 'pid' else 'camera'}", where=where,
                         expected=f"a whole number in {least}..{most}", got=f"'{text}'")  # fmt: skip
    return int(text)


def read_images(root: Path, folder: Path, *, subset: Subset, prefix: str) -> tuple[RawTracklet, ...]:
    """Read the images below ``folder``: named ones in it, or pid/camid/ folders.

    Args:
        root: folder that frames' paths are relative to.
        folder: ``root`` or a folder in it.
        subset: of the tracklets.
        prefix: of the tracklets' names.

    Raises:
        InputError: if there is no image, or a name says neither person nor camera.
    """
    named = _images(folder)
    tracklets = _read_named(root, folder, named, (subset, prefix)) if named else _read_tree(root, folder, (subset, prefix))
    if not tracklets:
        raise InputError("no image found", where=folder, expected="pid/camid/*.jpg, or names as in Market-1501", got="none")
    return tracklets


def check_images(root: Path, tracklets: Sequence[RawTracklet]) -> tuple[str, ...]:
    """Decode every image once.

    Returns:
        Names of the tracklets whose images differ in size.

    Raises:
        InputError: if an image is empty, cut off, none, or a link out of the folder; names the file.
    """
    changing, base = [], root.resolve()
    for tracklet in tqdm(tracklets, unit="tracklet", desc="check images", file=sys.stderr, disable=not sys.stderr.isatty()):
        for frame in tracklet.frames:
            if not (root / frame).resolve().is_relative_to(base):
                raise InputError("the image lies outside the folder", where=root, expected=f"a file below {root}", got=frame)
        if len({_decoded_size(root / frame) for frame in tracklet.frames}) > 1:
            changing.append(tracklet.tracklet_id)
    return tuple(changing)


def _read_named(root: Path, folder: Path, names: list[str], about: tuple[Subset, str]) -> tuple[RawTracklet, ...]:
    groups: dict[str, list[tuple[ImageName, str]]] = {}
    for name in names:
        parsed = parse_image_name(name)
        if parsed is None:
            expected = "0001_c1s1_000151_01.jpg (person, camera, sequence, frame, box) or 02_17.png (camera, object)"
            raise InputError("the name of an image says neither person nor camera", where=folder, expected=expected, got=name)
        groups.setdefault(parsed.tracklet, []).append((parsed, name))
    subset, prefix = about
    return tuple(
        RawTracklet(
            tracklet_id=prefix + tracklet,
            pid=group[0][0].pid,
            camid=group[0][0].camid,
            subset=subset,
            frames=tuple((folder / name).relative_to(root).as_posix() for _, name in sorted(group)),
        )
        for tracklet, group in sorted(groups.items())
    )


def _read_tree(root: Path, folder: Path, about: tuple[Subset, str]) -> tuple[RawTracklet, ...]:
    subset, prefix = about
    found = []
    for person in _folders(folder):
        pid = parse_id(person.name, "pid", where=person)
        for camera in _folders(person):
            camid = parse_id(camera.name, "camid", where=camera)
            frames = tuple((camera / name).relative_to(root).as_posix() for name in _images(camera))
            if not frames:
                raise InputError(
                    "a tracklet without images", where=camera, expected=f"files in {', '.join(SUFFIXES)}", got="none"
                )
            name = f"{prefix}{person.name}/{camera.name}"
            found.append(RawTracklet(tracklet_id=name, pid=pid, camid=camid, subset=subset, frames=frames))
    return tuple(found)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[str]:
    """Return the names of the images in a folder, sorted; what is neither image nor known litter is an error among images."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    images = [name for name in names if name.lower().endswith(SUFFIXES)]
    odd = [name for name in names if name not in images and name not in _IGNORED and not name.lower().endswith((".txt", ".md"))]
    if images and odd:
        raise InputError("not an image", where=folder / odd[0], expected=f"files in {', '.join(SUFFIXES)}", fix="Take it out")
    return images


def _decoded_size(path: Path) -> tuple[int, int]:
    size = path.stat().st_size
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        got = f"{size:,} bytes ({' '.join(str(error).split())[:80]})" if size else "an empty file"
        raise InputError(
            "image cannot be decoded", where=path, expected="a whole JPEG or PNG", got=got, fix="Restore it"
        ) from error
