from pathlib import Path

import pytest
from PIL import Image

from reproid.datasets.layouts import build_index
from reproid.errors import InputError

IMAGES = (
    *("train/0001/0003/0001_C6_F0099_X30823.jpg", "train/0001/0003/0001_C6_F0100_X30824.jpg"),
    *("query/0002/0001/0002_C1_F0001_X00001.jpg", "gallery/0002/0001/0002_C1_F0001_X00001.jpg"),
    *("gallery/0002/0002/0002_C2_F0001_X00500.jpg", "gallery/0009/0001/0009_C2_F0001_X00700.jpg"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in IMAGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 32)).save(tmp_path / name)
    return tmp_path


def test_read_dukemtmc_a_query_is_one_tracklet_with_two_roles(tree: Path) -> None:
    index = build_index("duke", tree, layout="dukemtmc-videoreid", expected={"train_tracklets": 1, "gallery_tracklets": 3})
    assert [t.tracklet_id for t in index.tracklets("query")] == ["0002_C1_0001"]
    assert [(t.pid, t.camid) for t in index.tracklets("gallery")] == [(2, 0), (2, 1), (9, 1)]
    assert [(t.pid, t.camid, len(t.frames)) for t in index.tracklets("train")] == [(1, 5, 2)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("0001_c6_0001.jpg", "0003: not an image of the layout; .*got 0001_c6_0001.jpg"),
        ("0001_C5_F0101_X30825.jpg", r"a tracklet mixes persons or cameras; .*\('0001', '5'\), \('0001', '6'\)"),
    ],
    ids=["name", "camera"],
)
def test_read_dukemtmc_odd_image_is_named(tree: Path, name: str, message: str) -> None:
    Image.new("RGB", (16, 32)).save(tree / "train/0001/0003" / name)
    with pytest.raises(InputError, match=message):
        build_index("duke", tree, layout="dukemtmc-videoreid")


def test_read_dukemtmc_empty_tracklet_is_named(tree: Path) -> None:
    (tree / "gallery/0009/0002").mkdir()
    with pytest.raises(InputError, match="0002: not an image of the layout; .*got no image"):
        build_index("duke", tree, layout="dukemtmc-videoreid")
