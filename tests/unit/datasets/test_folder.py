"""Folders of images and tables: what is read from which form, and every kind of bad input by its message."""

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reproid.datasets.folder_csv import Line, parse_table
from reproid.datasets.folder_images import ImageName, parse_image_name
from reproid.datasets.index import Index
from reproid.datasets.layouts import build_index
from reproid.errors import InputError

MARKUP = "<img src=x onerror=alert(1)>&'\""


def image(path: Path, size: tuple[int, int] = (16, 32)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 60, 20)).save(path)
    return path


def index_of(root: Path) -> Index:
    return build_index("mine", root, layout="folder")


def roles(index: Index) -> dict[str, list[str]]:
    return {role: [t.tracklet_id for t in index.tracklets(role)] for role in ("train", "query", "gallery")}  # type: ignore[arg-type]


def test_folder_pid_camid_every_tracklet_is_query_and_gallery(tmp_path: Path) -> None:
    for name in ("7/0/b.jpg", "7/0/a.jpg", "7/2/x.png", "-1/0/j.jpg"):
        image(tmp_path / name)
    (tmp_path / ".hidden").mkdir()
    index = index_of(tmp_path)
    assert roles(index) == {"train": [], "query": ["7/0", "7/2"], "gallery": ["-1/0", "7/0", "7/2"]}
    tracklet = index.records["7/0"]
    assert (tracklet.pid, tracklet.camid, tracklet.frames) == (7, 0, ("7/0/a.jpg", "7/0/b.jpg"))
    assert (tracklet.width, tracklet.height) == (16, 32)


def test_folder_market_names_are_grouped_by_person_camera_and_sequence(tmp_path: Path) -> None:
    names = ["0002_c1s1_000776_01.jpg", "0002_c1s1_000301_02.jpg", "0002_c1s2_000001_01.jpg", "-1_c3s1_000401_03.jpg"]
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        for name in names if folder != "bounding_box_train" else ["0009_c6s1_000001_00.jpg"]:
            image(tmp_path / folder / name)
    (tmp_path / "query" / "Thumbs.db").write_bytes(b"litter")
    index = index_of(tmp_path)
    assert roles(index) == {
        "train": ["train/0009_c6s1"],
        "query": ["query/0002_c1s1", "query/0002_c1s2"],
        "gallery": ["gallery/-1_c3s1", "gallery/0002_c1s1", "gallery/0002_c1s2"],
    }
    tracklet = index.records["query/0002_c1s1"]
    assert (tracklet.pid, tracklet.camid) == (2, 0)
    assert tracklet.frames == ("query/0002_c1s1_000301_02.jpg", "query/0002_c1s1_000776_01.jpg")
    assert index.subsets["train/0009_c6s1"] == "train"


def test_folder_camera_object_names_are_tracklets_of_one_frame_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("01_5.png", "02_5.png", "02_17.png"):
        image(tmp_path / name)
    index = index_of(tmp_path)
    assert {(t.pid, t.camid) for t in index.records.values()} == {(5, 1), (5, 2), (17, 2)}
    assert "3 of 3 tracklets have one frame alone (01_5, 02_17, 02_5)" in caplog.text


def test_folder_images_that_change_size_are_noted_with_their_tracklet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image(tmp_path / "1/0/a.png")
    image(tmp_path / "1/0/b.png", (20, 30))
    image(tmp_path / "2/0/a.png")
    caplog.set_level(logging.WARNING)
    index_of(tmp_path)
    assert "images change size within 1 tracklets (1/0)" in caplog.text


def test_folder_facts_can_be_asserted(tmp_path: Path) -> None:
    image(tmp_path / "1/0/a.png")
    expected = (
        "expected tracklets_of_one_frame 4, tracklets_that_change_size 2, got tracklets_of_one_frame 1, tracklets_that_change"
    )
    with pytest.raises(InputError, match=expected):
        build_index("mine", tmp_path, layout="folder", expected={"tracklets_of_one_frame": 4, "tracklets_that_change_size": 2})


def cut(path: Path) -> None:
    data = image(path, (64, 64)).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def words(path: Path) -> None:
    path.write_text("no picture")


@pytest.mark.parametrize(
    ("damage", "got"),
    [(cut, r"got [\d,]+ bytes \("), (empty, "got an empty file"), (words, r"got 10 bytes \(")],
    ids=["truncated", "zero bytes", "no image"],
)
def test_folder_damaged_image_is_named_with_its_size(tmp_path: Path, damage, got: str) -> None:
    damage(image(tmp_path / "1/0/a.jpg"))
    with pytest.raises(InputError, match=r"1/0/a\.jpg: image cannot be decoded; expected a whole JPEG or PNG, " + got):
        index_of(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["anna/0/a.jpg"], r"anna: pid is no number of a person; expected a whole number in -1\.\.2147483647, got 'anna'"),
        (["1/left/a.jpg"], r"1/left: camid is no number of a camera; expected a whole number in 0\.\.32767, got 'left'"),
        (["1/40000/a.jpg"], r"got '40000'"),
        (["holiday.jpg"], r"the name of an image says neither person nor camera; .* got holiday\.jpg"),
        (["1/0/a.jpg", "1/0/b.gif"], r"1/0/b\.gif: not an image; expected files in \.jpg, \.jpeg, \.png"),
        (["1/0/notes.txt"], r"1/0: a tracklet without images"),
        (["query/1/0/a.jpg"], r"no gallery tracklet; expected at least 1, got 1 tracklets of other roles, or of pid -1 or 0"),
        (["0/0/a.jpg"], r"no query tracklet; expected at least 1, got 1 tracklets"),
        (["gallery/1/0/a.jpg", "query/.keep"], r"query: no image found; .* got none"),
        (["train/1/0/a.jpg", "query/1/1/a.jpg", "gallery/1/0/a.jpg"], r"persons are in training and in test; .* 1 shared: 1"),
        ([], r"no image found; expected pid/camid/\*\.jpg, or names as in Market-1501, got none"),
    ],
    ids=[
        "pid",
        "camid",
        "camid too large",
        "name",
        "odd file",
        "no image",
        "no gallery",
        "no person",
        "empty query",
        "shared",
        "empty folder",
    ],
)
def test_folder_that_does_not_fit_says_where(tmp_path: Path, names: list[str], message: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image(tmp_path / name) if name.endswith(".jpg") else (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=message):
        index_of(tmp_path)


def test_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: data folder not found; expected a folder of images or videos"):
        index_of(tmp_path / "nowhere")


def test_folder_with_a_link_out_of_it_is_refused(tmp_path: Path) -> None:
    outside = image(tmp_path / "outside.jpg")
    (tmp_path / "set/1/0").mkdir(parents=True)
    (tmp_path / "set/1/0/a.jpg").symlink_to(outside)
    with pytest.raises(InputError, match=r"set: the image lies outside the folder; expected a file below .*set, got 1/0/a\.jpg"):
        index_of(tmp_path / "set")


def table(root: Path, *lines: str) -> Path:
    (root / "images.csv").write_text("\n".join(lines))
    return root


def test_table_gives_tracklets_in_its_order_with_roles_and_any_name(tmp_path: Path) -> None:
    for name in ("z.jpg", "a.jpg", "sub/m.png"):
        image(tmp_path / name)
    lines = ["path,pid,camid,tracklet,role", f'z.jpg,3,1,"{MARKUP.replace(chr(34), chr(34) * 2)}",query']
    lines += ["a.jpg,3,0,walk,gallery", "sub/m.png,3,0,walk,gallery"]
    index = index_of(table(tmp_path, *lines))
    assert roles(index) == {"train": [], "query": [MARKUP], "gallery": ["walk"]}
    assert index.records["walk"].frames == ("a.jpg", "sub/m.png")


def test_table_without_names_or_roles_makes_a_tracklet_per_person_and_camera(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        image(tmp_path / name)
    index = index_of(table(tmp_path, "path,pid,camid", "a.jpg,3,0", "", "b.jpg,3,0"))
    assert roles(index) == {"train": [], "query": ["3/0"], "gallery": ["3/0"]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["path,pid", "a.jpg,1"], r"images\.csv, line 1: wrong columns; expected path,pid,camid .*, got path,pid\."),
        (["path,pid,camid,colour"], r"line 1: wrong columns; .* got path,pid,camid,colour"),
        ([""], r"line 1: wrong columns; .* got an empty file"),
        (["path,pid,camid"], r"images\.csv: no image in the table"),
        (["path,pid,camid", "a.jpg,1"], r"line 2: wrong number of fields; expected 3 \(path,pid,camid\), got 2"),
        (["path,pid,camid", "a.jpg,one,0"], r"line 2, column pid: pid is no number .* got 'one'"),
        (["path,pid,camid", "a.jpg,1,-1"], r"line 2, column camid: camid is no number .* got '-1'"),
        (["path,pid,camid", "", "a.jpg,1,0", "a.jpg,1,0"], r"line 4: an image stands there twice; .* got a\.jpg, as in line 3"),
        (["path,pid,camid", "../a.jpg,1,0"], r"line 2: not a path of an image; expected a path below .* got '\.\./a\.jpg'"),
        (["path,pid,camid", "/etc/a.jpg,1,0"], r"line 2: not a path of an image; .* got '/etc/a\.jpg'"),
        (["path,pid,camid", "link.jpg,1,0"], r"line 2: the image lies outside the folder; expected a file .* got link\.jpg"),
        (["path,pid,camid", "gone.jpg,1,0"], r"images named by .* are missing; .* got 1 missing: gone\.jpg"),
        (["path,pid,camid,role", "a.jpg,1,0,probe"], r"line 2: unknown role; expected train, query, .* got 'probe'"),
        (
            ["path,pid,camid,tracklet", "a.jpg,1,0,t", "b.jpg,2,0,t"],
            r"line 3: tracklet 't' mixes persons, .* expected pid 1, camid 0, role '', got pid 2, camid 0, role ''",
        ),
    ],
    ids=[
        *("column missing", "column unknown", "empty", "head alone", "fields", "pid", "camid", "twice"),
        *("dots", "absolute", "link", "gone", "role", "mixed"),
    ],
)  # fmt: skip
def test_table_that_does_not_fit_names_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    root = tmp_path / "set"
    outside = image(tmp_path / "outside.jpg")
    for name in ("a.jpg", "b.jpg"):
        image(root / name)
    (root / "link.jpg").symlink_to(outside)
    with pytest.raises(InputError, match=message):
        index_of(table(root, *lines))


def test_table_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "images.csv").write_bytes(b"path,pid,camid\n\xff.jpg,1,0")
    with pytest.raises(InputError, match=r"images\.csv: not a text file in UTF-8; got byte 0xff"):
        index_of(tmp_path)


NAMES = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters='\r\n,"\\/\x00', exclude_categories=["C", "Z"]), min_size=1
)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(NAMES, st.integers(-1, 2**31 - 1), st.integers(0, 2**15 - 1)), min_size=1, unique_by=lambda r: r[0])
)
def test_parse_table_returns_what_was_written(rows: list[tuple[str, int, int]]) -> None:
    text = "path,pid,camid\n" + "".join(f"d/{name}.jpg,{pid},{camid}\n" for name, pid, camid in rows)
    lines = parse_table(text, where="t")
    assert [(line.path, line.pid, line.camid) for line in lines] == [(f"d/{name}.jpg", pid, camid) for name, pid, camid in rows]


@settings(deadline=None)
@given(text=st.one_of(st.text(), st.text(alphabet="path,pidcam\n\"'-01.jg/")))
def test_parse_table_gives_lines_or_an_input_error(text: str) -> None:
    lines, message = [], ""
    try:
        lines = parse_table("path,pid,camid\n" + text, where="t.csv")
    except InputError as error:
        message = str(error)
    assert bool(lines) != message.startswith("t.csv")
    assert all(isinstance(line, Line) and not line.path.startswith("/") and ".." not in line.path.split("/") for line in lines)


@settings(deadline=None)
@given(pid=st.integers(-1, 10**8), camera=st.integers(1, 9999), rest=st.tuples(*[st.integers(0, 999)] * 3))
def test_parse_image_name_market_round_trip(pid: int, camera: int, rest: tuple[int, int, int]) -> None:
    sequence, frame, box = rest
    person = "-1" if pid == -1 else f"{pid:04d}"
    found = parse_image_name(f"{person}_c{camera}s{sequence}_{frame:06d}_{box:02d}.jpg")
    assert found == ImageName(tracklet=f"{person}_c{camera}s{sequence}", pid=pid, camid=camera - 1, frame=frame, box=box)


@settings(deadline=None)
@given(name=st.one_of(st.text(), st.from_regex(re.compile(r"[-\d]{1,3}_c?\d{1,2}(s\d_\d_\d)?\.[a-z]{1,3}"), fullmatch=True)))
def test_parse_image_name_any_text_gives_numbers_in_range_or_none(name: str) -> None:
    found = parse_image_name(name)
    assert found is None or (found.pid >= -1 and 0 <= found.camid <= 9999)
