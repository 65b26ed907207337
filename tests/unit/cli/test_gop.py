from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from reproid.cli import cli
from reproid.errors import InputError
from support.videos import STEP, sliding_picture, write_video


def _call(*arguments: object) -> str:
    done = CliRunner().invoke(cli, ["gop", *map(str, arguments)], catch_exceptions=False, standalone_mode=False)
    return done.output


def test_gop_of_a_video_with_b_frames_writes_motion_that_restores_it(tmp_path: Path) -> None:
    path = write_video(tmp_path, "h264-b-frames")
    said = _call(path, "--out", tmp_path / "g.npz", "--figure", tmp_path / "g.png", "--frames", 3)
    assert "3 frames by h264-pairs" in said
    with np.load(tmp_path / "g.npz", allow_pickle=False) as found:
        assert found["motion"].shape == (2, 2, 4, 6)
        assert found["residual"].shape == (2, 3, 64, 96)
        assert np.median(found["motion"][0, 0]) == STEP  # to the left: the I-frame has it further right
    with Image.open(tmp_path / "g.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 300


def test_gop_of_a_folder_takes_images_in_order_and_figures_repeat(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for t, picture in enumerate(sliding_picture()):
        Image.fromarray(picture).save(tmp_path / "images" / f"{t:03d}.png")
    for name in ("a", "b"):
        _call(
            tmp_path / "images",
            "--figure",
            tmp_path / f"{name}.png",
            "--out",
            tmp_path / f"{name}.npz",
            "--step",
            2,
            "--frames",
            2,
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert np.median(found["motion"][0, 0]) == 2 * STEP
    (tmp_path / "images" / "000.png").write_bytes((tmp_path / "images" / "000.png").read_bytes()[:300])
    with pytest.raises(InputError, match=r"000\.png: image cannot be decoded"):
        _call(tmp_path / "images", "--figure", tmp_path / "c.png")


def test_gop_native_writes_the_files_own_vectors_with_a_warning(tmp_path: Path) -> None:
    path = write_video(tmp_path, "h264-b-frames")
    said = _call(path, "--native", "--out", tmp_path / "v.npz", "--frames", 12)
    assert "warning: a file's own vectors refer to whichever frame its encoder chose" in said
    with np.load(tmp_path / "v.npz", allow_pickle=False) as found:
        vectors, columns = found["vectors"], found["columns"].tolist()
    assert columns[:2] == ["frame", "source"]
    assert set(vectors[:, 1].tolist()) == {-1, 1}, "B-frames refer both ways"
    assert vectors[:, 0].min() >= 1


@pytest.mark.parametrize("arguments", [[], ["--native", "--figure", "x.png"]])
def test_gop_options_that_do_not_fit_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(InputError, match=r"reproid gop: (nothing to write|--native takes a video)"):
        _call(tmp_path / "x.mp4", *arguments)


def test_gop_start_beyond_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mpeg4\.avi: the source has no such frame; expected frame 99"):
        _call(write_video(tmp_path, "mpeg4"), "--start", 99, "--out", tmp_path / "x.npz")
