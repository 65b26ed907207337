import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import RealDataSet
from reproid.datasets.check import count
from reproid.datasets.layouts import build_index
from reproid.datasets.mars import read_mars
from reproid.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared/metadata/mars"


def _load_benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mars_index", ROOT / "benchmarks/mars_index.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        spec.loader.exec_module(module)
    return module


BENCHMARK = _load_benchmark()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Ten images: one training tracklet; junk, a distractor, and person 2 in two cameras. Tracklets need not start at F001."""
    train = ["0001C1T0001F003.jpg", "0001C1T0001F004.jpg"]
    test = [
        *("00-1C1T0001F001.jpg", "00-1C1T0001F002.jpg", "0000C2T0001F001.jpg", "0002C1T0001F001.jpg", "0002C1T0001F002.jpg"),
        *("0002C3T0001F001.jpg", "0002C3T0001F002.jpg", "0002C3T0001F003.jpg"),
    ]
    rows = {"train": [(1, 2, 1, 1)], "test": [(1, 2, -1, 1), (3, 3, 0, 2), (4, 5, 2, 1), (6, 8, 2, 3)]}
    (tmp_path / "info").mkdir()
    for subset, names in (("train", train), ("test", test)):
        for name in names:
            path = tmp_path / f"bbox_{subset}" / name[:4] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 32)).save(path)
        (tmp_path / f"info/{subset}_name.txt").write_bytes("\r\n".join(names).encode())
        savemat(tmp_path / f"info/tracks_{subset}_info.mat", {f"track_{subset}_info": np.array(rows[subset], np.int32)})
    savemat(tmp_path / "info/query_IDX.mat", {"query_IDX": np.array([[4, 3]], np.uint16)})
    return tmp_path


def test_read_mars_labels_are_one_based_rows(tree: Path) -> None:
    index = build_index("toy", tree, layout="mars")
    found = {t.tracklet_id: (t.pid, t.camid, len(t.frames)) for t in index.records.values()}
    assert found == {
        "0001C1T0001F003": (1, 0, 2), "00-1C1T0001F001": (-1, 0, 2), "0000C2T0001F001": (0, 1, 1),
        "0002C1T0001F001": (2, 0, 2), "0002C3T0001F001": (2, 2, 3),
    }  # fmt: skip
    assert index.records["0002C3T0001F001"].frames[-1] == "bbox_test/0002/0002C3T0001F003.jpg"
    assert (index.records["0002C3T0001F001"].width, index.records["0002C3T0001F001"].height) == (16, 32)


def test_read_mars_queries_are_gallery_too(tree: Path) -> None:
    index = build_index("toy", tree, layout="mars")
    assert [t.tracklet_id for t in index.tracklets("query")] == ["0002C1T0001F001", "0002C3T0001F001"]
    assert len(index.tracklets("gallery")) == 4
    assert [t.pid for t in index.tracklets("train")] == [1]


def test_build_index_missing_image_is_named(tree: Path) -> None:
    (tree / "bbox_test/0002/0002C3T0001F002.jpg").unlink()
    with pytest.raises(InputError, match="got 1 missing: bbox_test/0002/0002C3T0001F002.jpg"):
        build_index("toy", tree, layout="mars")


def test_build_index_many_missing_images_are_counted(tree: Path) -> None:
    shutil.rmtree(tree / "bbox_test/0002")
    (tree / "bbox_test/00-1/00-1C1T0001F001.jpg").unlink()
    with pytest.raises(InputError, match="got 6 missing: bbox_test/00-1/.* and 1 more"):
        build_index("toy", tree, layout="mars")


def test_build_index_files_are_checked_before_counts(tree: Path) -> None:
    (tree / "bbox_test/0002/0002C3T0001F002.jpg").unlink()
    with pytest.raises(InputError, match="images named by the data set are missing"):
        build_index("toy", tree, layout="mars", expected={"train_persons": 625})


def test_build_index_differing_counts_are_listed(tree: Path) -> None:
    with pytest.raises(
        InputError, match="expected train_persons 625, query_tracklets 1,980, got train_persons 1, query_tracklets 2"
    ):
        build_index("toy", tree, layout="mars", expected={"train_persons": 625, "query_tracklets": 1980, "junk_tracklets": 1})


def test_build_index_unknown_count_is_named(tree: Path) -> None:
    with pytest.raises(InputError, match="got no count trains"):
        build_index("toy", tree, layout="mars", expected={"trains": 1})


def test_build_index_missing_info_is_named(tree: Path) -> None:
    (tree / "info/query_IDX.mat").unlink()
    with pytest.raises(InputError, match="files of the data set are missing; .*got no info/query_IDX.mat"):
        build_index("toy", tree, layout="mars")


def test_build_index_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: data folder not found; expected a data set in the layout mars"):
        build_index("toy", tmp_path / "nowhere", layout="mars")


def test_build_index_first_image_broken_is_named(tree: Path) -> None:
    (tree / "bbox_test/0000/0000C2T0001F001.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="0000C2T0001F001.jpg: not an image"):
        build_index("toy", tree, layout="mars")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((6, 9, 2, 3), r"row 4: .*expected 1 <= start <= end <= 8 .*got .*\[6, 9, 2, 3\]"),
        ((6, 8, 2, 0), r"row 4: .*\[6, 8, 2, 0\]"),
    ],
    ids=["beyond the names", "camera 0"],
)
def test_read_mars_row_that_does_not_fit_is_named(tree: Path, row: tuple[int, ...], message: str) -> None:
    rows = np.array([(1, 2, -1, 1), (3, 3, 0, 2), (4, 5, 2, 1), row], np.int32)
    savemat(tree / "info/tracks_test_info.mat", {"track_test_info": rows})
    with pytest.raises(InputError, match=message):
        read_mars(tree)


def test_read_mars_query_beyond_the_test_tracklets_is_refused(tree: Path) -> None:
    savemat(tree / "info/query_IDX.mat", {"query_IDX": np.array([[5]], np.uint16)})
    with pytest.raises(InputError, match=r"expected rows in 1..4, got 5..5"):
        read_mars(tree)


def test_read_mars_broken_matlab_file_is_named(tree: Path) -> None:
    (tree / "info/query_IDX.mat").write_bytes(b"MATLAB 7.3 no")
    with pytest.raises(InputError, match="query_IDX.mat: not a MATLAB 5 file"):
        read_mars(tree)


def test_read_mars_wrong_variable_is_named(tree: Path) -> None:
    savemat(tree / "info/query_IDX.mat", {"query": np.array([[1]])})
    with pytest.raises(InputError, match="a MATLAB variable is missing; expected query_IDX, got query"):
        read_mars(tree)


def test_read_mars_wrong_shape_is_named(tree: Path) -> None:
    savemat(tree / "info/tracks_test_info.mat", {"track_test_info": np.ones((4, 3))})
    with pytest.raises(InputError, match=r"expected track_test_info as an integer matrix \[n, 4\], got float64 \(4, 3\)"):
        read_mars(tree)


def test_build_index_person_in_train_and_test_is_refused(tree: Path) -> None:
    savemat(tree / "info/tracks_train_info.mat", {"track_train_info": np.array([(1, 2, 2, 1)], np.int32)})
    with pytest.raises(InputError, match=r"split 'official': persons are in training and in test; .*got 1 shared: 2"):
        build_index("toy", tree, layout="mars")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real MATLAB files of MARS are not beside this clone (../shared/metadata/mars)")
def test_read_mars_real_matlab_files_give_the_published_counts_per_role_and_camera(tmp_path: Path) -> None:
    """The name files of MARS are not public here: names by the data set's rule stand in for them; nothing else is made up."""
    (tmp_path / "info").mkdir()
    for name in ("tracks_train_info.mat", "tracks_test_info.mat", "query_IDX.mat"):
        shutil.copy(REAL / name, tmp_path / "info")
    for subset in ("train", "test"):
        (tmp_path / f"bbox_{subset}").mkdir()
        (tmp_path / f"info/{subset}_name.txt").write_text("\r\n".join(BENCHMARK.image_names(REAL, subset)), newline="")
    layout = read_mars(tmp_path)
    found = count(layout)
    counts = {"train_persons": 625, "train_tracklets": 8298, "train_frames": 509914, "test_persons": 636, "test_tracklets": 12180}
    counts |= {"test_frames": 681089, "query_tracklets": 1980, "junk_tracklets": 870, "distractor_tracklets": 3248}
    declared = load_catalog().datasets["mars"]
    assert isinstance(declared, RealDataSet)
    assert declared.counts == counts == {name: found[name] for name in counts} == BENCHMARK.COUNTS
    assert declared.cameras["query_tracklets"] == (524, 456, 319, 191, 384, 106)
    assert len(declared.cameras) == 6
    for name, cameras in declared.cameras.items():
        assert tuple(found[f"{name}_camera_{k}"] for k in range(1, 7)) == cameras
    assert (found["query_persons"], found["gallery_tracklets"]) == (626, 12180)
    lengths = {subset: [len(t.frames) for t in layout.tracklets if t.subset == subset] for subset in ("train", "test")}
    assert [(min(n), max(n)) for n in lengths.values()] == [(5, 900), (2, 920)]
    assert sum(n < 8 for n in lengths["train"]) == 86


@pytest.mark.parametrize("change", ["a line too many", "a line too few"])
def test_read_mars_name_file_shifted_by_a_line_is_refused_though_all_images_exist(tree: Path, change: str) -> None:
    path = tree / "info/test_name.txt"
    names = path.read_text().split()
    names = [names[0], *names] if change == "a line too many" else [*names[1:], names[-1]]
    path.write_text("\r\n".join(names))
    with pytest.raises(InputError, match=r"tracks_test_info.mat, row [34]: a tracklet mixes persons or cameras; .*got 000"):
        read_mars(tree)


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/passwd", "../x/0002C3T0001F001.jpg"])
def test_build_index_mars_name_that_leads_out_is_refused(tree: Path, name: str) -> None:
    (tree.parent / "secret.jpg").write_bytes((tree / "bbox_test/0002/0002C3T0001F001.jpg").read_bytes())
    text = (tree / "info/test_name.txt").read_text().splitlines()
    (tree / "info/test_name.txt").write_text("\n".join([*text[:2], name, *text[3:]]))
    with pytest.raises(InputError, match="(outside the folder|missing)"):
        build_index("toy", tree, layout="mars")


def test_read_mars_rows_that_share_images_are_named(tree: Path) -> None:
    rows = np.array([(1, 2, -1, 1), (3, 3, 0, 2), (4, 6, 2, 1), (6, 8, 2, 3)], np.int32)
    savemat(tree / "info/tracks_test_info.mat", {"track_test_info": rows})
    with pytest.raises(
        InputError, match=r"rows 3 and 4: tracklets share images; .*got \[4, 6, 2, 1\] and \[6, 8, 2, 3\]; 1 such"
    ):
        read_mars(tree)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([[4, 3, 4]], "queries are named twice; expected each once, got 4"),
        ([[1.5]], "another shape"),
        ([[np.nan]], "another shape"),
    ],
)
def test_read_mars_queries_that_are_no_list_are_refused(tree: Path, queries: object, message: str) -> None:
    savemat(tree / "info/query_IDX.mat", {"query_IDX": np.array(queries)})
    with pytest.raises(InputError, match=message):
        read_mars(tree)
