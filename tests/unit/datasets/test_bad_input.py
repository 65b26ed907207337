"""Whatever lies in a data folder, reading it ends with an index or with one sentence, and changes nothing in it."""

import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.check import check_data
from reproid.datasets.index import Index, write_index
from reproid.datasets.layouts import build_index, read_layout
from reproid.datasets.pack import pack
from reproid.errors import InputError
from reproid.synthetic.render import render_dataset
from support.real_sets import PIXEL

OFFICIAL = ("mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid")
LAYOUTS = (*OFFICIAL, "folder")  # the last with a table, images.csv
TABLE = "path,pid,camid,role\na/1.png,1,0,query\na/2.png,1,1,gallery\na/3.png,2,0,train\na/4.png,2,1,train\n"
SPEC = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=2, cameras_per_person=(2, 2), tracklets_per_camera=(1, 1), frames=(2, 2),
    height=32, width=16, distractors=0, junk=0,
)  # fmt: skip
SPLITS = "train-test people splits/train_test_splits_ilidsvid.mat"
ARRAYS = {  # file: (layout, variable)
    "info/tracks_test_info.mat": ("mars", "track_test_info"),
    "info/query_IDX.mat": ("mars", "query_IDX"),
    SPLITS: ("ilids-vid", "ls_set"),
}
TEXTS = {
    "info/test_name.txt": "mars",
    "list_sequence/list_seq_test.txt": "ls-vid",
    "splits.json": "prid-2011",
    "info/query_IDX.mat": "mars",
    "test/data/info_test.mat": "ls-vid",
    SPLITS: "ilids-vid",
    "images.csv": "folder",
}
quick = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("sets")
    own = base / "folder"
    (own / "a").mkdir(parents=True)
    for n in range(1, 6):  # the fifth stands in no line
        (own / f"a/{n}.png").write_bytes(PIXEL)
    (own / "images.csv").write_text(TABLE)
    return {"folder": own} | {layout: render_dataset(SPEC, base / layout, layout=layout).folder for layout in OFFICIAL}


def attempt(root: Path, layout: str) -> Index | str:
    """Return the index, or the one sentence; any other end fails the test."""
    try:
        index = build_index("toy", root, layout=layout)
    except InputError as error:
        said = str(error)
    else:
        assert all(tracklet.frames for tracklet in index.records.values())
        with TemporaryDirectory() as folder:
            write_index(index, Path(folder))
        return index
    assert len(said.splitlines()) == 1
    return said


def kept(path: Path, change: Callable[[], object], then: Callable[[], None]) -> None:
    """Change a file, do something, put it back."""
    before = path.read_bytes() if path.exists() else None
    try:
        change()
        then()
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


values = st.integers(-3, 40) | st.sampled_from([2**31, -(2**31), 2**40])
arrays = st.one_of(
    st.lists(st.lists(values, min_size=4, max_size=4), max_size=9).map(lambda rows: np.array(rows, np.int64).reshape(-1, 4)),
    st.lists(values, max_size=90).map(lambda row: np.array([row], np.int64)),
    st.lists(st.floats(allow_nan=True), max_size=9).map(lambda row: np.array([row], np.float64)),
    st.sampled_from([np.array([["text"]]), np.zeros((2, 2, 2)), np.zeros((0, 0)), np.array([[1 + 2j]]), np.array([[True]])]),
)


@quick
@given(file=st.sampled_from(sorted(ARRAYS)), array=arrays)
def test_matlab_arrays_of_any_kind_are_read_or_refused(rendered: dict[str, Path], file: str, array: np.ndarray) -> None:
    layout, key = ARRAYS[file]
    path = rendered[layout] / file
    kept(path, lambda: savemat(path, {key: array}), lambda: attempt(rendered[layout], layout) and None)


@quick
@given(array=arrays.filter(lambda a: a.dtype.kind != "U"), key=st.sampled_from(["query", "other"]))
def test_hdf5_arrays_of_any_kind_are_read_or_refused(rendered: dict[str, Path], array: np.ndarray, key: str) -> None:
    path = rendered["ls-vid"] / "test/data/info_test.mat"

    def write() -> None:
        with h5py.File(path, "w") as file:
            file[key] = array

    kept(path, write, lambda: attempt(rendered["ls-vid"], "ls-vid") and None)


@quick
@given(
    file=st.sampled_from(sorted(TEXTS)), content=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-16"))
)
def test_index_files_of_any_bytes_are_refused(rendered: dict[str, Path], file: str, content: bytes) -> None:
    root = rendered[TEXTS[file]]
    kept(root / file, lambda: (root / file).write_bytes(content), lambda: attempt(root, TEXTS[file]) and None)


@quick
@given(file=st.sampled_from(sorted(TEXTS)), at=st.floats(0, 1), byte=st.integers(0, 255), length=st.floats(0, 1))
def test_index_files_with_a_changed_byte_or_cut_off_are_read_or_refused(
    rendered: dict[str, Path], file: str, at: float, byte: int, length: float
) -> None:
    root = rendered[TEXTS[file]]
    content = bytearray((root / file).read_bytes())
    content[int(at * (len(content) - 1))] = byte
    cut = bytes(content[: int(length * len(content))]) if length < 0.5 else bytes(content)
    kept(root / file, lambda: (root / file).write_bytes(cut), lambda: attempt(root, TEXTS[file]) and None)


persons = st.lists(
    st.sampled_from([f"person_{k:04d}" for k in range(1, 10)] + ["", "person_x"]) | st.integers() | st.none(), max_size=6
)
splits = st.lists(st.fixed_dictionaries({"train": persons, "test": persons}) | st.none() | st.integers(), max_size=3)


@quick
@given(value=splits)
def test_split_files_of_any_form_are_read_or_refused(rendered: dict[str, Path], value: object) -> None:
    root = rendered["prid-2011"]
    path = root / "splits.json"
    kept(path, lambda: path.write_text(json.dumps(value)), lambda: attempt(root, "prid-2011") and None)


cells = st.one_of(
    st.sampled_from([f"a/{n}.png" for n in range(1, 7)] + ["../a/1.png", "/etc/passwd", "a\\1.png", "a/1.txt", "a", ""]),
    st.integers(-3, 9).map(str) | st.sampled_from(["1.5", "1e3", "0x1", "١", "NaN", str(2**31), str(-(2**31)), "train", "query"]),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
)
HEAD = "path,pid,camid,role"
heads = st.sampled_from([HEAD, "path,pid,camid", "path,pid", "pid,path,camid", "path,pid,camid,camid", "a,b", ""])
tables = st.tuples(heads, st.lists(st.lists(cells, min_size=2, max_size=5).map(",".join), max_size=5))
images = st.integers(1, 5).map("a/{}.png".format)
lines = st.tuples(
    images, st.integers(-1, 3).map(str), st.integers(0, 2).map(str), st.sampled_from(["query", "gallery", "train", ""])
)
right = st.tuples(
    st.just(HEAD), st.lists(lines, max_size=5, unique_by=lambda line: line[0]).map(lambda rows: [*map(",".join, rows)])
)


@settings(quick, max_examples=100)
@given(
    table=tables | right,
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    coding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
@example(table=(HEAD, TABLE.split()[1:]), ends="\r\n", coding="utf-8-sig")
def test_tables_of_any_form_are_read_whole_or_refused(
    rendered: dict[str, Path], table: tuple[str, list[str]], ends: str, coding: str
) -> None:
    path = rendered["folder"] / "images.csv"
    head, rows = table
    content = ends.join([head, *rows]).encode(coding, errors="replace")

    def look() -> None:
        found = attempt(rendered["folder"], "folder")
        if isinstance(found, Index):  # no line was passed over, and none made up
            listed = sorted(frame for tracklet in found.records.values() for frame in tracklet.frames)
            assert listed == sorted(row.split(",")[0].strip() for row in rows if row.replace(",", "").strip())
        event(type(found).__name__)

    kept(path, lambda: path.write_bytes(content), look)


def test_table_that_is_right_is_read(rendered: dict[str, Path]) -> None:
    found = attempt(rendered["folder"], "folder")
    assert isinstance(found, Index)
    assert sorted((t.pid, t.camid) for t in found.records.values()) == [(1, 0), (1, 1), (2, 0), (2, 1)]


names = st.one_of(
    st.text(st.characters(blacklist_characters="/\x00", blacklist_categories=["Cs"]), min_size=1, max_size=30),
    st.from_regex(r"\A[0-9]{4}C[0-9]T[0-9]{4}F[0-9]{3}\.jpg\Z"),
    st.from_regex(r"\A[0-9]{4}_[0-9]{4}_[0-9]{2}_[0-9]{4}\.jpg\Z"),
    st.from_regex(r"\A[0-9]{4}_C[0-9]{1,12}_F[0-9]{4}_X[0-9]{5}\.jpg\Z"),
    st.sampled_from(["Thumbs.db", ".DS_Store", "person_٣", "a\nb.jpg"]),
    st.binary(min_size=1, max_size=12).map(lambda b: os.fsdecode(b.replace(b"/", b"_").replace(b"\x00", b"_"))),
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200)


@quick
@given(layout=st.sampled_from(LAYOUTS), name=names, folder=st.booleans(), place=st.integers(0, 10**6))
def test_further_files_and_folders_of_any_name_are_passed_over_or_refused(
    rendered: dict[str, Path], layout: str, name: str, folder: bool, place: int
) -> None:
    root = rendered[layout]
    places = sorted({path.parent for path in root.rglob("*")})
    path = places[place % len(places)] / name
    if os.path.lexists(path):
        return
    path.mkdir() if folder else path.write_bytes(PIXEL)
    try:
        attempt(root, layout)
    finally:
        path.rmdir() if folder else path.unlink()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_missing_image_and_missing_folder_are_named(rendered: dict[str, Path], layout: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(rendered[layout], tmp_path / "set"))
    raw = read_layout(root, layout)
    folder = (root / raw.tracklets[-1].frames[0]).parent
    shutil.rmtree(folder)
    said = attempt(root, layout)
    if layout != "dukemtmc-videoreid":  # its folders are all that it says
        assert isinstance(said, str)
    else:
        assert isinstance(said, Index)
        counts = {"gallery_tracklets": build_index("toy", rendered[layout], layout=layout).counts()["gallery_tracklets"]}
        with pytest.raises(InputError, match="counts differ from those declared"):
            build_index("toy", root, layout=layout, expected=counts)


@pytest.mark.parametrize(
    ("file", "layout"),
    [
        *(("info/test_name.txt", "mars"), ("list_sequence/list_seq_test.txt", "ls-vid")),
        *(("splits.json", "prid-2011"), ("images.csv", "folder")),
    ],
)
def test_line_ends_of_windows_change_nothing(rendered: dict[str, Path], file: str, layout: str) -> None:
    root = rendered[layout]
    plain = attempt(root, layout)
    text = (root / file).read_bytes().replace(b"\r\n", b"\n")
    for ends in (b"\n", b"\r\n"):
        changed = text.replace(b"\n", ends)
        kept(root / file, lambda changed=changed: (root / file).write_bytes(changed), lambda: _same(attempt(root, layout), plain))


def _same(one: object, two: object) -> None:
    assert one == two
    assert isinstance(one, Index)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_order_of_the_directory_gives_the_same_index(
    rendered: dict[str, Path], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, scandir, listdir = attempt(rendered[layout], layout), os.scandir, os.listdir

    class Shuffled:
        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name)
            rng.shuffle(self.entries)

        def __enter__(self) -> "Shuffled":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __iter__(self):  # type: ignore[no-untyped-def]
            return iter(self.entries)

    for seed in range(3):
        rng = random.Random(seed)
        monkeypatch.setattr(os, "scandir", Shuffled)
        monkeypatch.setattr(os, "listdir", lambda path=".", rng=rng: rng.sample(listdir(path), len(listdir(path))))
        found = attempt(rendered[layout], layout)
        monkeypatch.undo()
        _same(found, plain)


WATCHED = """
import os, sys
from pathlib import Path

root, out, layout = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
seen = []

def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES:
        paths = args[:1]
    elif event in CHANGES:
        paths = args[:2]
    else:
        return
    names = [os.fsdecode(path) for path in paths if isinstance(path, (str, bytes, os.PathLike))]
    seen.extend(f"{event} {name}" for name in names if Path(name).is_relative_to(root))

sys.addaudithook(watch)

from reproid.datasets.check import check_data
from reproid.datasets.index import write_index
from reproid.datasets.layouts import build_index
from reproid.datasets.pack import pack, verify

write_index(build_index("set", root, layout=layout), out / "index")
assert check_data(root, layout=layout, counts={}, cameras={}).passed
pack(root, out / "packed")
verify(out / "packed")
assert not seen, seen
(root / "probe").touch()
assert seen, "the watch sees nothing"
"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_data_folder_is_opened_for_reading_alone(rendered: dict[str, Path], layout: str, tmp_path: Path) -> None:
    """Rights do not bind root, and times show no file that came and went: every call that could write is watched."""
    root = Path(shutil.copytree(rendered[layout], tmp_path / "set"))
    command = [sys.executable, "-c", WATCHED, str(root), str(tmp_path / "out"), layout]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_data_folder_is_never_written_to(rendered: dict[str, Path], layout: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(rendered[layout], tmp_path / "set"))

    def look() -> dict[str, tuple[int, int, int]]:
        found = {str(p.relative_to(root)): p.lstat() for p in [root, *root.rglob("*")]}
        return {name: (about.st_mtime_ns, about.st_ctime_ns, about.st_size) for name, about in found.items()}

    for path in [root, *root.rglob("*")]:
        path.chmod(stat.S_IREAD | (stat.S_IEXEC if path.is_dir() else 0))
    try:
        before = look()
        build_index("toy", root, layout=layout)
        assert check_data(root, layout=layout, counts={}, cameras={}).passed
        pack(root, tmp_path / "packed")
        assert look() == before
    finally:
        for path in [root, *(p for p in root.rglob("*") if p.is_dir())]:
            path.chmod(0o755)
