"""Images in folders: pid/camid/, Market-1501's names, camera_object names. And a look into every image."""

import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image
from tqdm import tqdm

from reproid.datasets._read import RawTracklet
from reproid.datasets.data_folder import DataFolder, join
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


def read_images(data: DataFolder, folder: str, *, subset: Subset, prefix: str) -> tuple[RawTracklet, ...]:
    """Read the images below ``folder``: named ones in it, or pid/camid/ folders.

    Args:
        data: the data set's folder.
        folder: a folder in it; empty: itself.
        subset: of the tracklets.
        prefix: of the tracklets' names.

    Raises:
        InputError: if there is no image, or a name says neither person nor camera.
    """
    named = _images(data, folder)
    tracklets = _read_named(data, folder, named, (subset, prefix)) if named else _read_tree(data, folder, (subset, prefix))
    if not tracklets:
        raise InputError(
            "no image found", where=data.root / folder, expected="pid/camid/*.jpg, or names as in Market-1501", got="none"
        )
    return tracklets


def check_images(data: DataFolder, tracklets: Sequence[RawTracklet]) -> tuple[str, ...]:
    """Decode every image once.

    Returns:
        Names of the tracklets whose images differ in size.

    Raises:
        InputError: if an image is empty, cut off, none, or a link out of the folder; names the file, or the shard and the member.
    """
    changing = []
    for tracklet in tqdm(tracklets, unit="tracklet", desc="check images", file=sys.stderr, disable=not sys.stderr.isatty()):
        for frame in tracklet.frames:
            data.check_inside(frame)
        if len({decoded_size(data, frame) for frame in tracklet.frames}) > 1:
            changing.append(tracklet.tracklet_id)
    return tuple(changing)


def _read_named(data: DataFolder, folder: str, names: list[str], about: tuple[Subset, str]) -> tuple[RawTracklet, ...]:
    groups: dict[str, list[tuple[ImageName, str]]] = {}
    for name in names:
        parsed = parse_image_name(name)
        if parsed is None:
            expected = "0001_c1s1_000151_01.jpg (person, camera, sequence, frame, box) or 02_17.png (camera, object)"
            raise InputError(
                "the name of an image says neither person nor camera", where=data.root / folder, expected=expected, got=name
            )
        groups.setdefault(parsed.tracklet, []).append((parsed, name))
    subset, prefix = about
    return tuple(
        RawTracklet(
            tracklet_id=prefix + tracklet,
            pid=group[0][0].pid,
            camid=group[0][0].camid,
            subset=subset,
            frames=tuple(join(folder, name) for _, name in sorted(group)),
        )
        for tracklet, group in sorted(groups.items())
    )


def _read_tree(data: DataFolder, folder: str, about: tuple[Subset, str]) -> tuple[RawTracklet, ...]:
    subset, prefix = about
    found = []
    for person in _folders(data, folder):
        above = join(folder, person)
        pid = parse_id(person, "pid", where=data.root / above)
        for camera in _folders(data, above):
            place = join(above, camera)
            camid = parse_id(camera, "camid", where=data.root / place)
            frames = tuple(join(place, name) for name in _images(data, place))
            if not frames:
                expected = f"files in {', '.join(SUFFIXES)}"
                raise InputError("a tracklet without images", where=data.root / place, expected=expected, got="none")
            found.append(
                RawTracklet(tracklet_id=f"{prefix}{person}/{camera}", pid=pid, camid=camid, subset=subset, frames=frames)
            )
    return tuple(found)


def _folders(data: DataFolder, folder: str) -> list[str]:
    return [name for name in data.folders(folder) if not name.startswith(".")]


def _images(data: DataFolder, folder: str) -> list[str]:
    """Return the names of the images in a folder, sorted; what is neither image nor known litter is an error among images."""
    names = [name for name in data.files(folder) if not name.startswith(".")]
    images = [name for name in names if name.lower().endswith(SUFFIXES)]
    odd = [name for name in names if name not in images and name not in _IGNORED and not name.lower().endswith((".txt", ".md"))]
    if images and odd:
        raise InputError(
            "not an image", where=data.root / folder / odd[0], expected=f"files in {', '.join(SUFFIXES)}", fix="Take it out"
        )
    return images


def decoded_size(data: DataFolder, name: str) -> tuple[int, int]:
    """Decode an image and return (width, height).

    Raises:
        InputError: if it is missing, empty, cut off or none; names the file, or the shard and the member.
    """
    content = data.read(name)
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return image.size
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        got = f"{len(content):,} bytes ({' '.join(str(error).split())[:80]})" if content else "an empty file"
        raise InputError(
            "image cannot be decoded", where=data.place(name), expected="a whole JPEG or PNG", got=got, fix="Restore it"
        ) from error
