import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reproid.catalog.synthetic import SyntheticSpec
from reproid.errors import InputError
from reproid.synthetic.plan import make_world
from reproid.synthetic.render import Rendered
from reproid.synthetic.sheet import GAP, HEADER, write_gif, write_sheet


def test_write_sheet_has_a_row_per_person_and_a_column_per_camera(rendered: Rendered, tmp_path: Path) -> None:
    write_sheet(rendered.folder, tmp_path / "sheet.png", persons=3, frames=2)
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.size == (3 * (2 * 32 + GAP) - GAP, HEADER + 3 * (64 + GAP) - GAP)


def test_write_sheet_shows_the_stored_images_and_blanks(rendered: Rendered, tiny: SyntheticSpec, tmp_path: Path) -> None:
    world = make_world(tiny)
    blanks = 0
    for pid in world.persons:
        write_sheet(rendered.folder, tmp_path / "sheet.png", persons=[pid], frames=1)
        sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
        for camid in range(3):
            tile = sheet[HEADER:, camid * (32 + GAP) : camid * (32 + GAP) + 32]
            path = rendered.folder / f"bbox_{'train' if pid <= 4 else 'test'}/{pid:04d}/{pid:04d}C{camid + 1}T0001F001.jpg"
            if path.exists():
                np.testing.assert_array_equal(tile, np.asarray(Image.open(path)))
            else:
                assert (tile == 255).all()
                blanks += 1
    assert blanks > 0


def test_write_gif_has_as_many_frames_as_asked_for(rendered: Rendered, tmp_path: Path) -> None:
    write_gif(rendered.folder, tmp_path / "walk.gif", pid=2, frames=5, scale=2)
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames == 5
        assert film.height == 128


def test_write_sheet_same_set_gives_same_bytes(rendered: Rendered, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sheet(rendered.folder, tmp_path / f"{name}.png")
        write_gif(rendered.folder, tmp_path / f"{name}.gif", frames=4)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_write_sheet_incomplete_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no complete synthetic set; expected synthetic.json. Render it with: reproid data synth"
    ):
        write_sheet(tmp_path, tmp_path / "sheet.png")


def test_write_gif_unknown_person_is_refused(rendered: Rendered, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such person; expected 1..8, got 9"):
        write_gif(rendered.folder, tmp_path / "walk.gif", pid=9)
    assert not (tmp_path / "walk.gif").exists()


def test_write_sheet_broken_image_is_named(rendered: Rendered, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(rendered.folder, folder)
    for path in (folder / "bbox_train/0001").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"0001C\dT0001F001.jpg: image cannot be read"):
        write_sheet(folder, tmp_path / "sheet.png", persons=[1])
