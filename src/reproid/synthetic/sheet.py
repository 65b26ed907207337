"""Pictures of a rendered set: a contact sheet (persons x cameras), and one person in all cameras as a moving GIF."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from reproid.catalog._yaml import validate
from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError
from reproid.files import atomic_path, read_json
from reproid.synthetic import COMPLETE
from reproid.synthetic.layouts import LayoutWriter, layout_writer
from reproid.synthetic.plan import PlannedTracklet, World, make_world

GAP, HEADER, PAPER, INK = 4, 14, (255, 255, 255), (60, 60, 60)


@dataclass(frozen=True, kw_only=True)
class _Set:
    data: DataFolder
    world: World
    writer: LayoutWriter


def write_pictures(folder: Path) -> None:
    """Write sheet.png and person.gif into the folder of a rendered set, where they are missing."""
    for name, write in (("sheet.png", write_sheet), ("person.gif", write_gif)):
        if not (folder / name).exists():
            write(folder, folder / name)


def write_sheet(folder: Path | str, out: Path | str, *, persons: Sequence[int] | int = 8, frames: int = 2) -> None:
    """Write a contact sheet: a row per person, a column per camera.

    Args:
        folder: a rendered set.
        out: the file to write, .png or .jpg.
        persons: pids, or how many of the first ones.
        frames: images of each camera, evenly spread over the person's first tracklet there.

    Raises:
        InputError: if the set is not complete, or has no such person.
    """
    found = _open(folder)
    pids = _pids(found.world, persons)
    spec = found.world.spec
    cell = frames * spec.width + GAP
    sheet = Image.new("RGB", (spec.cameras * cell - GAP, HEADER + len(pids) * (spec.height + GAP) - GAP), PAPER)
    _write_header(sheet, spec.cameras, cell)
    for row, pid in enumerate(pids):
        for camid in range(spec.cameras):
            tracklet = _tracklet(found.world, pid, camid)
            if tracklet is None:
                continue
            paths = found.writer.paths(found.world, tracklet)
            for k in range(frames):
                path = paths[round(k * (len(paths) - 1) / max(frames - 1, 1))]
                sheet.paste(_read(found.data, path), (camid * cell + k * spec.width, HEADER + row * (spec.height + GAP)))
    with atomic_path(out) as temporary:
        sheet.save(temporary, optimize=True)


def write_gif(folder: Path | str, out: Path | str, *, pid: int = 1, frames: int = 24, scale: int = 1) -> None:
    """Write one person walking through all cameras, side by side, as a looping GIF.

    Args:
        folder: a rendered set.
        out: the file to write.
        pid: the person.
        frames: length of the loop; shorter tracklets start again.
        scale: pixels per pixel.

    Raises:
        InputError: if the set is not complete, or has no such person.
    """
    found = _open(folder)
    (pid,) = _pids(found.world, [pid])
    spec = found.world.spec
    seen = [t for camid in range(spec.cameras) if (t := _tracklet(found.world, pid, camid)) is not None]
    films = [[_read(found.data, path) for path in found.writer.paths(found.world, t)] for t in seen]
    pictures = []
    for k in range(frames):
        picture = Image.new("RGB", (len(films) * (spec.width + GAP) - GAP, spec.height), PAPER)
        for column, film in enumerate(films):
            picture.paste(film[k % len(film)], (column * (spec.width + GAP), 0))
        pictures.append(picture.resize((picture.width * scale, picture.height * scale)).quantize(128))
    with atomic_path(out) as temporary:
        duration = round(1000 / spec.frame_rate)
        pictures[0].save(temporary, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0, optimize=True)


def _open(folder: Path | str) -> _Set:
    folder = Path(folder)
    if not (folder / COMPLETE).exists():
        raise InputError("no complete synthetic set", where=folder, expected=COMPLETE, fix="Render it with: reproid data synth")
    marker = read_json(folder / COMPLETE)
    spec = validate(marker["spec"], SyntheticSpec, where=folder / COMPLETE)
    return _Set(data=DataFolder(folder), world=make_world(spec), writer=layout_writer(marker["layout"]))


def _pids(world: World, persons: Sequence[int] | int) -> list[int]:
    wanted = sorted(world.persons)[:persons] if isinstance(persons, int) else list(persons)
    unknown = [pid for pid in wanted if pid not in world.persons]
    if unknown or not wanted:
        raise InputError(
            "no such person", where="--pid", expected=f"1..{len(world.persons)}", got=unknown[0] if unknown else "none"
        )
    return wanted


def _tracklet(world: World, pid: int, camid: int) -> PlannedTracklet | None:
    return next((t for t in world.tracklets if (t.pid, t.camid, t.number) == (pid, camid, 1)), None)


def _read(data: DataFolder, name: str) -> Image.Image:
    content = data.read(name)
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.convert("RGB")
    except OSError as error:
        raise InputError("image cannot be read", where=data.place(name), fix="Delete the set and render it again") from error


def _write_header(sheet: Image.Image, cameras: int, cell: int) -> None:
    draw = ImageDraw.Draw(sheet)
    for camid in range(cameras):
        draw.text((camid * cell + 2, 1), f"camera {camid + 1}", fill=INK)
