from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reproid.clips.images import read_frames
from reproid.datasets.data_folder import DataFolder
from reproid.errors import InputError


def _image(path: Path, size: tuple[int, int] = (16, 32)) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, size=(size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_read_frames_at_stored_size_returns_the_pixels(tmp_path: Path) -> None:
    path = _image(tmp_path / "a.png")
    frames = read_frames(DataFolder(tmp_path), ["a.png"] * 2, declared={}, height=32, width=16)
    assert frames.dtype == torch.uint8
    assert torch.equal(frames[0], torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1))
    assert torch.equal(frames[1], frames[0])


def test_read_frames_smaller_averages_the_source_pixels(tmp_path: Path) -> None:
    stripes = np.zeros((32, 16, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(tmp_path / "a.png")
    frames = read_frames(DataFolder(tmp_path), ["a.png"], declared={}, height=8, width=4)
    # without antialiasing, bilinear interpolation would hit single stripes: 0 or 200
    assert abs(frames[0, :, :, 1:3].float().mean() - 100) < 3


def test_read_frames_of_undeclared_size_are_resized(tmp_path: Path) -> None:
    _image(tmp_path / "a.png")
    _image(tmp_path / "b.png", (20, 40))
    frames = read_frames(DataFolder(tmp_path), ["a.png", "b.png"], declared={"a.png": (16, 32)}, height=8, width=4)
    assert frames.shape == (2, 3, 8, 4)


def test_read_frames_grey_image_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 16), 77, dtype=np.uint8)).save(tmp_path / "a.png")
    assert read_frames(DataFolder(tmp_path), ["a.png"], declared={}, height=32, width=16).unique().tolist() == [77]


def _cut(path: Path) -> None:
    path.write_bytes(_image(path).read_bytes()[:400])


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("a.jpg", Path.unlink, r"a\.jpg: image not found\. Restore"),
        ("a.jpg", lambda path: path.write_bytes(b""), r"a\.jpg: not an image; expected a JPEG or PNG file, got an empty file"),
        (
            "a.jpg",
            lambda path: path.write_text("<html>not here"),
            r"a\.jpg: not an image; .* got 14 bytes that begin with b'<html>no'",
        ),
        ("a.jpg", _cut, r"a\.jpg: image is cut off; expected a whole image, got 400 bytes"),
        ("a.png", _cut, r"a\.png: image is cut off; expected a whole image, got 400 bytes"),
        (
            "a.jpg",
            lambda path: _image(path, (20, 40)),
            r"a\.jpg: image has another size .* expected 16 x 32 pixels, got 20 x 40 pix",
        ),
        ("a.jpg", lambda path: (path.unlink(), path.mkdir()), r"a\.jpg: image cannot be read; got Is a directory"),
    ],
    ids=["missing", "empty", "text", "cut-jpeg", "cut-png", "other-size", "folder"],
)
def test_read_frames_broken_file_is_named(tmp_path: Path, name: str, spoil: Callable[[Path], object], message: str) -> None:
    path = _image(tmp_path / name)
    spoil(path)
    with pytest.raises(InputError, match=message):
        read_frames(DataFolder(tmp_path), [name], declared={name: (16, 32)}, height=32, width=16)
