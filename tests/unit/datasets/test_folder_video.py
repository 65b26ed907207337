"""Videos with boxes: crops, and every way in which the two may not fit."""

import io
import logging
import shutil
import tarfile
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.folder_boxes import Box, parse_boxes
from reproid.datasets.layouts import build_index
from reproid.errors import InputError

WIDTH, HEIGHT, FRAMES = 64, 48, 12
REAL = Path(__file__).resolve().parents[4] / "shared/data/intel-sample-videos"
HEAD = "frame,id,x,y,w,h"


def video(path: Path, frames: int = FRAMES, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Write a video: frame i is one grey, 20 i, with a white square at its upper left corner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"q:v": "1"}
        for i in range(frames):
            picture = np.full((size[1], size[0], 3), 20 * i, np.uint8)
            picture[:16, :16] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.fixture(scope="module")
def bytes_of_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return video(tmp_path_factory.mktemp("video") / "v.mp4").read_bytes()


@pytest.fixture
def root(tmp_path: Path, bytes_of_video: bytes) -> Path:
    (tmp_path / "door.mp4").write_bytes(bytes_of_video)
    return tmp_path


def boxes(root: Path, *lines: str, name: str = "door.csv") -> Path:
    (root / name).write_text("\n".join(lines))
    return root


def picture(root: Path, frame: str) -> Image.Image:
    return Image.open(io.BytesIO(DataFolder(root).read(frame)))


def test_video_crops_lie_in_shards_and_in_no_files(root: Path) -> None:
    build_index("mine", boxes(root, HEAD, "0,1,0,0,8,8", "1,2,0,0,8,8"), layout="folder")
    found = sorted(path.relative_to(root / "crops").as_posix() for path in (root / "crops").rglob("*") if path.is_file())
    assert found == ["door/crops.json", "door/shards/00000.tar", "door/shards/index.arrow"]
    with tarfile.open(root / "crops/door/shards/00000.tar") as shard:
        assert shard.getnames() == ["1/000000.jpg", "2/000001.jpg"]


def test_video_boxes_are_cut_out_of_their_frames(root: Path) -> None:
    index = build_index("mine", boxes(root, HEAD, "3,7,0,0,16,16", "9,7,20,20,30,20", "3,2,20,20,10,10"), layout="folder")
    assert [(t.tracklet_id, t.pid, t.camid, t.width, t.height) for t in index.records.values()] == [
        ("2/door", 2, 0, 10, 10),
        ("7/door", 7, 0, 16, 16),
    ]
    first, second = (picture(root, frame).convert("L") for frame in index.records["7/door"].frames)
    assert (first.size, second.size) == ((16, 16), (30, 20))
    assert np.asarray(first).mean() > 240  # the white square
    assert abs(np.asarray(second).mean() - 20 * 9) < 6  # frame 9, counted from 0


def test_video_boxes_without_a_head_count_frames_from_one(root: Path) -> None:
    index = build_index("mine", boxes(root, "10,7,20,20,30,20,1,-1,-1,-1", name="door.txt"), layout="folder")
    assert index.records["7/door"].frames == ("crops/door/7/000009.jpg",)
    assert abs(np.asarray(picture(root, "crops/door/7/000009.jpg").convert("L")).mean() - 20 * 9) < 6


def test_video_box_partly_outside_is_cut_at_the_border(root: Path) -> None:
    index = build_index("mine", boxes(root, HEAD, "0,1,-5,-6,20,30", f"1,1,{WIDTH - 4.5},0,100,10"), layout="folder")
    sizes = [picture(root, frame).size for frame in index.records["1/door"].frames]
    assert sizes == [(15, 24), (5, 10)]


def test_video_is_cropped_once_and_again_when_its_boxes_change(root: Path) -> None:
    boxes(root, HEAD, "0,1,0,0,8,8", "1,1,0,0,8,8")
    build_index("mine", root, layout="folder")
    shard = root / "crops/door/shards/00000.tar"
    before = shard.stat()
    build_index("mine", root, layout="folder")
    assert shard.stat() == before
    shutil.rmtree(shard.parent)
    build_index("mine", root, layout="folder")
    assert shard.stat().st_size == before.st_size
    boxes(root, HEAD, "1,1,0,0,9,9")
    index = build_index("mine", root, layout="folder")
    assert shard.stat() != before
    assert index.records["1/door"].frames == ("crops/door/1/000001.jpg",)
    assert sorted(path.name for path in (root / "crops").iterdir()) == ["door"]
    assert DataFolder(root).files("crops/door/1") == ["000001.jpg"]


def test_video_two_are_two_cameras(root: Path, bytes_of_video: bytes) -> None:
    (root / "car.mp4").write_bytes(bytes_of_video)
    boxes(boxes(root, HEAD, "0,1,0,0,8,8"), HEAD, "0,1,0,0,8,8", "1,1,0,0,8,8", name="car.boxes.csv")
    index = build_index("mine", root, layout="folder")
    assert {(t.tracklet_id, t.camid) for t in index.records.values()} == {("1/car", 0), ("1/door", 1)}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEAD, "0,1,0,0,8,8", "1,1,0,0,8"], r"door\.csv, line 3: bad line .*; expected 6 fields, .* got 5: '1,1,0,0,8'"),
        ([HEAD, "x,1,0,0,8,8"], r"door\.csv, line 2: frame is no number of a frame; expected a whole number from 0, got 'x'"),
        (["0,1,0,0,8,8"], r"door\.csv, line 1: frame is no number of a frame; expected a whole number from 1, got '0'"),
        ([HEAD, "", "0,anna,0,0,8,8"], r"door\.csv, line 3: pid is no number of a person; .* got 'anna'"),
        ([HEAD, "0,1,nan,0,8,8"], r"line 2: x is no number of pixels; expected at most 1,000,000, got 'nan'"),
        ([HEAD, "0,1,0,0,0,8"], r"line 2: a box without area; expected w and h above 0, got w 0, h 8"),
        ([HEAD, "4,1,0,0,8,8", "5,1,0,0,8,8", "4,1,2,2,8,8"], r"line 4: two boxes of id 1 .*another in line 2"),
        (["frame,id,left,top,w,h"], r"line 1: wrong head; expected frame,id,x,y,w,h, got frame,id,left,top,w,h"),
        ([HEAD], r"door\.csv: no box"),
        ([HEAD, "0,1,64,0,8,8"], r"door\.csv, line 2: a box lies outside .* 64 x 48 pixels, got x 64, y 0, w 8, h 8"),
        ([HEAD, "0,1,0,-9,8,8.5"], r"line 2: a box lies outside the picture; .* got x 0, y -9, w 8, h 8\.5"),
        ([HEAD, "0,1,0,0,8,8", "12,1,0,0,8,8"], r"door\.csv, line 3: the video ends before .* 12 frames, .* got frame 12"),
    ],
    ids=[
        *("fields", "frame", "frame 0 without a head", "pid", "x", "area", "twice", "head", "head alone", "outside", "above"),
        "video ends early",
    ],
)  # fmt: skip
def test_video_boxes_that_do_not_fit_name_file_and_line_and_leave_no_crops(root: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_index("mine", boxes(root, *lines), layout="folder")
    assert not (root / "crops").exists() or not list((root / "crops").iterdir())


def test_video_that_is_none_is_named(root: Path) -> None:
    (root / "door.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(InputError, match=r"door\.mp4, frame 0: the video is damaged \(.*Invalid data"):
        build_index("mine", boxes(root, HEAD, "0,1,0,0,8,8"), layout="folder")


def test_video_without_boxes_is_named_with_the_files_looked_for(root: Path) -> None:
    expected = r"door\.mp4: a video needs one file of boxes; expected door\.boxes\.csv or door\.csv or .* got none"
    with pytest.raises(InputError, match=expected):
        build_index("mine", root, layout="folder")
    boxes(boxes(root, HEAD), HEAD, name="door.txt")
    with pytest.raises(InputError, match=r"got door\.csv, door\.txt"):
        build_index("mine", root, layout="folder")


def test_video_two_of_one_name_are_refused(root: Path) -> None:
    (root / "door.avi").write_bytes(b"")
    with pytest.raises(InputError, match=r"two videos share a name; expected one per camera, got door\.\*"):
        build_index("mine", root, layout="folder")


def test_video_folder_of_crops_with_other_files_is_left_alone(root: Path) -> None:
    (root / "crops/door").mkdir(parents=True)
    (root / "crops/door/mine.txt").write_text("precious")
    with pytest.raises(
        InputError, match=r"crops/door: the folder of crops holds something else; expected nothing, or a crops\.json"
    ):
        build_index("mine", boxes(root, HEAD, "0,1,0,0,8,8"), layout="folder")
    assert (root / "crops/door/mine.txt").read_text() == "precious"


def test_video_one_frame_is_noted(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    build_index("mine", boxes(root, HEAD, "0,1,0,0,8,8"), layout="folder")
    assert "1 of 1 tracklets have one frame alone (1/door)" in caplog.text


def test_real_clip_is_cropped_as_its_own_contact_sheet_shows(tmp_path: Path) -> None:
    if not REAL.is_dir():
        pytest.skip("needs the real clip beside the project")
    for name in ("one-by-one-person-detection.mp4", "one-by-one-person-detection.boxes.csv"):
        (tmp_path / name).symlink_to(REAL / name)
    index = build_index("clip", tmp_path, layout="folder", expected={"persons": 6, "tracklets": 6, "frames": 934})
    sheet = Image.open(REAL / "one-by-one-person-detection.boxes.png").convert("RGB")
    for row, tracklet in enumerate(sorted(index.records.values(), key=lambda t: t.pid)):
        for column, frame in ((0, tracklet.frames[0]), (11, tracklet.frames[-1])):
            cell = np.asarray(sheet.crop((64 * column, 128 * row, 64 * column + 64, 128 * row + 128)), float)
            crop = np.asarray(picture(tmp_path, frame).resize((64, 128)), float)
            assert np.abs(cell - crop).mean() < 4


NUMBERS = st.floats(-(10**6), 10**6, allow_nan=False).map(lambda value: round(value, 3))
SIZES = st.floats(0.001, 10**6, allow_nan=False).map(lambda value: max(0.001, round(value, 3)))
ROW = st.tuples(st.integers(0, 10**8), st.integers(-1, 10**8), NUMBERS, NUMBERS, SIZES, SIZES)
ROWS = st.lists(ROW, min_size=1, unique_by=lambda row: row[:2])


@settings(deadline=None)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), first=st.sampled_from([0, 1]))
def test_parse_boxes_returns_what_was_written(rows: list[tuple[float, ...]], end: str, first: int) -> None:
    lines = ([HEAD] if first == 0 else []) + [",".join(map(str, (int(row[0]) + first, *row[1:]))) for row in rows]
    found = parse_boxes(end.join(lines), where="b")
    assert sorted((b.frame, b.pid, b.x, b.y, b.w, b.h) for b in found) == sorted(rows)
    assert [b.frame for b in found] == sorted(b.frame for b in found)


@settings(deadline=None)
@given(text=st.one_of(st.text(), st.text(alphabet="0123456789,.-\n e")), head=st.booleans())
def test_parse_boxes_gives_boxes_or_an_input_error_with_the_place(text: str, head: bool) -> None:
    found, message = [], ""
    try:
        found = parse_boxes((HEAD + "\n" if head else "") + text, where="b.csv")
    except InputError as error:
        message = str(error)
    assert bool(found) != message.startswith("b.csv")
    assert all(box.frame >= 0 and box.w > 0 and box.h > 0 for box in found)


@settings(deadline=None)
@given(x=NUMBERS, y=NUMBERS, w=SIZES, h=SIZES)
def test_clipped_box_lies_in_the_picture_or_is_none(x: float, y: float, w: float, h: float) -> None:
    area = Box(line=1, frame=0, pid=1, x=x, y=y, w=w, h=h).clipped(WIDTH, HEIGHT)
    outside = x >= WIDTH or y >= HEIGHT or x + w <= 0 or y + h <= 0
    assert (area is None) == outside
    if area is not None:
        left, top, right, bottom = area
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
