from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from reproid.datasets.layouts import build_index
from reproid.errors import InputError

IMAGES = (
    *("tracklet_train/0000/0000_0001_03_0007.jpg", "tracklet_train/0000/0000_0001_03_0008.jpg"),
    *("tracklet_test/1042/1042_0001_01_0001.jpg", "tracklet_test/1042/1042_0002_15_0001.jpg"),
    *("tracklet_test/1042/1042_0002_15_0002.jpg", "tracklet_test/1043/1043_0001_02_0001.jpg"),
)
TRAIN = "./tracklet_train/0000/0000_0001 0\n"
TEST = "tracklet_test/1042/1042_0001 1042\ntracklet_test/1042/1042_0002 1042\ntracklet_test/1043/1043_0001 1043\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in IMAGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 32)).save(tmp_path / name)
    (tmp_path / "list_sequence").mkdir()
    (tmp_path / "list_sequence/list_seq_train.txt").write_text(TRAIN)
    (tmp_path / "list_sequence/list_seq_test.txt").write_text(TEST)
    _write_queries(tmp_path, [[1.0]])
    return tmp_path


def _write_queries(tree: Path, value: object, key: str = "query") -> None:
    (tree / "test/data").mkdir(parents=True, exist_ok=True)
    with h5py.File(tree / "test/data/info_test.mat", "w") as file:
        file[key] = np.array(value)


def test_read_ls_vid_lists_cameras_and_queries(tree: Path) -> None:
    expected = {"train_tracklets": 1, "test_tracklets": 3, "query_tracklets": 1, "gallery_tracklets": 3, "frames": 6}
    index = build_index("ls", tree, layout="ls-vid", expected=expected)
    assert [(t.tracklet_id, t.pid, t.camid, len(t.frames)) for t in index.tracklets("train")] == [("0000_0001_03", 0, 2, 2)]
    assert [t.tracklet_id for t in index.tracklets("query")] == ["1042_0001_01"]
    assert [(t.pid, t.camid) for t in index.tracklets("gallery")] == [(1042, 0), (1042, 14), (1043, 1)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("tracklet_test/1042/1042_0009 1042\n", "list_seq_test.txt, line 1: a tracklet has no images; .*1042_0009"),
        ("tracklet_test/7777/7777_0001 7777\n", "line 1: a tracklet has no images; .*7777_0001"),
        ("\ntracklet_test/1042/1042 1042\n", "line 2: images do not fit .*expected one tracklet.*got 0001_01, 0002_15"),
        ("tracklet_test/1042/1042_0001\n", "line 1: not a line of the list; expected prefix pid, got 'tracklet_test"),
        ("tracklet_test/1042/1042_0001 x1\n", "not a line of the list; .*x1"),
    ],
    ids=["no image", "no folder", "two tracklets", "no pid", "pid is no number"],
)
def test_read_ls_vid_wrong_line_is_named(tree: Path, lines: str, message: str) -> None:
    (tree / "list_sequence/list_seq_test.txt").write_text(lines)
    with pytest.raises(InputError, match=message):
        build_index("ls", tree, layout="ls-vid")


@pytest.mark.parametrize("name", ["1043_0001_x_0001.jpg", "1043_0001.jpg"], ids=["camera", "fields"])
def test_read_ls_vid_odd_image_is_named(tree: Path, name: str) -> None:
    (tree / IMAGES[-1]).rename(tree / "tracklet_test/1043" / name)
    with pytest.raises(InputError, match="line 3: images do not fit the layout; .*person_tracklet_camera_frame, got "):
        build_index("ls", tree, layout="ls-vid")


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        ([[4.0]], "query", r"queries lie outside the test tracklets; expected rows in 1..3, got 4\.\.4"),
        ([[0.0]], "query", r"got 0\.\.0"),
        ([[1.0]], "gallery", "a MATLAB variable is missing; expected query, got gallery"),
        ([[1.0, 2.0], [3.0, 1.0]], "query", r"another shape; .*got float64 \(2, 2\)"),
        ([[1.5]], "query", "as a row or a column of whole numbers, got float64"),
    ],
    ids=["beyond", "zero", "key", "matrix", "fraction"],
)
def test_read_ls_vid_wrong_queries_are_refused(tree: Path, value: object, key: str, message: str) -> None:
    _write_queries(tree, value, key)
    with pytest.raises(InputError, match=message):
        build_index("ls", tree, layout="ls-vid")


def test_read_ls_vid_queries_in_another_format_are_refused(tree: Path) -> None:
    (tree / "test/data/info_test.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(InputError, match=r"info_test.mat: not a MATLAB 7.3 \(HDF5\) file"):
        build_index("ls", tree, layout="ls-vid")


def test_read_ls_vid_missing_list_is_named(tree: Path) -> None:
    (tree / "list_sequence/list_seq_train.txt").unlink()
    with pytest.raises(InputError, match=r"files of the data set are missing; .*got no list_sequence/list_seq_train\.txt"):
        build_index("ls", tree, layout="ls-vid")


@pytest.mark.parametrize("prefix", ["../outside/1042_0001", "/etc/1042_0001", "tracklet_test/../../outside/1042_0001"])
def test_read_ls_vid_prefix_that_leads_out_is_refused(tree: Path, prefix: str) -> None:
    outside = tree.parent / "outside"
    outside.mkdir(exist_ok=True)  # the tests' common folder
    Image.new("RGB", (16, 32)).save(outside / "1042_0001_01_0001.jpg")
    (tree / "list_sequence/list_seq_test.txt").write_text(f"{prefix} 1042\n")
    with pytest.raises(InputError, match="outside the folder"):
        build_index("ls", tree, layout="ls-vid")


def test_read_ls_vid_tracklet_listed_twice_is_refused(tree: Path) -> None:
    (tree / "list_sequence/list_seq_test.txt").write_text(TEST + TEST.splitlines()[0] + "\n")
    with pytest.raises(InputError, match="two tracklets share a name; .*got 1042_0001_01"):
        build_index("ls", tree, layout="ls-vid")
