"""Shards: what is packed is read, by its name, in any process; what is damaged is named."""

import multiprocessing
import random
import subprocess
import sys
import tarfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.datasets.data_folder import DataFolder
from reproid.datasets.shard_index import Member, Shard, bad_name, write_index
from reproid.datasets.shard_writer import ShardFile, ShardWriter
from reproid.datasets.shards import Shards
from reproid.errors import InputError

IMAGES = {
    f"{pid}/{camid}/{t:03d}.jpg": random.Random(str((pid, camid, t))).randbytes(40 * t)
    for pid in (3, 12)
    for camid in (0, 1)
    for t in range(9)
}
ODD = (
    *("a b/ü 漢.jpg", "deep/" * 40 + "x.jpg", "x" * 180 + ".png", "quote\"'<b>.jpg", "-rf.jpg"),
    *("new\nline.jpg", "end\n", "co:lon.tar:x.jpg", "back\\slash.jpg"),
)


def pack(root: Path, images: dict[str, bytes], *, shard_bytes: int = 2**20) -> Path:
    with ShardWriter(root / "shards", shard_bytes=shard_bytes) as writer:
        for name, content in images.items():
            writer.add(name, content)
    return root / "shards"


def test_shards_hold_what_was_packed_and_any_tar_program_reads_them(tmp_path: Path) -> None:
    images = {**IMAGES, **dict.fromkeys(ODD, b"odd")}
    folder = pack(tmp_path, images, shard_bytes=8000)
    shards = Shards(folder)
    assert len(shards.shards) > 3
    assert {shards.name(row): shards.read(row) for row in range(len(shards))} == images
    unpacked = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            unpacked |= {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
            assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar.getmembers()} == {(0, 0, 0, "", "", 0o644)}
    assert unpacked == images


def test_shards_of_equal_images_are_equal_bytes(tmp_path: Path) -> None:
    one, two = (pack(tmp_path / name, IMAGES, shard_bytes=4000) for name in ("one", "two"))
    assert [path.name for path in sorted(one.iterdir())] == [path.name for path in sorted(two.iterdir())]
    assert all(path.read_bytes() == (two / path.name).read_bytes() for path in one.iterdir())


def test_data_folder_reads_files_and_shards_at_any_depth_and_says_where(tmp_path: Path) -> None:
    pack(tmp_path, {"bbox/0001/a.jpg": b"top"})
    pack(tmp_path / "crops/door", {"7/000003.jpg": b"crop"})
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose/b.jpg").write_bytes(b"file")
    data = DataFolder(tmp_path)
    assert [data.read(name) for name in ("bbox/0001/a.jpg", "crops/door/7/000003.jpg", "loose/b.jpg")] == [
        b"top",
        b"crop",
        b"file",
    ]
    assert data.place("crops/door/7/000003.jpg") == f"{tmp_path}/crops/door/shards/00000.tar:7/000003.jpg"
    assert data.place("loose/b.jpg") == f"{tmp_path}/loose/b.jpg"
    with pytest.raises(InputError, match=r"bbox/0001/c\.jpg: image not found"):
        data.read("bbox/0001/c.jpg")


def test_data_folder_lists_files_and_shards_as_one_tree(tmp_path: Path) -> None:
    pack(tmp_path, dict.fromkeys(("bbox/0001/b.jpg", "bbox/0001/a.jpg", "bbox/00010/c.jpg", "bbox/0001-.jpg", "top.png"), b""))
    (tmp_path / "bbox/0001").mkdir(parents=True)
    (tmp_path / "bbox/0001/0.jpg").write_bytes(b"")
    (tmp_path / "info").mkdir()
    data = DataFolder(tmp_path)
    assert (data.folders(), data.files()) == (["bbox", "info"], ["top.png"])
    assert (data.folders("bbox"), data.files("bbox")) == (["0001", "00010"], ["0001-.jpg"])
    assert data.files("bbox/0001") == ["0.jpg", "a.jpg", "b.jpg"]
    assert data.files("nowhere") == data.folders("nowhere") == []
    assert [data.exists(name) for name in ("bbox", "bbox/00010", "bbox/00010/c.jpg", "info", "top.png", "bbox/2", "bbo")] == [
        *[True] * 5,
        *[False] * 2,
    ]
    assert [data.is_folder(name) for name in ("bbox/00010", "info", "top.png")] == [True, True, False]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_data_folder_reads_the_same_in_many_processes(tmp_path: Path, method: str) -> None:
    pack(tmp_path, IMAGES, shard_bytes=4000)
    data, names = DataFolder(tmp_path), sorted(IMAGES) * 5
    assert data.read(names[0]) == IMAGES[names[0]]  # mapped before the fork
    with ProcessPoolExecutor(3, multiprocessing.get_context(method)) as pool:
        assert list(pool.map(data.read, names, chunksize=7)) == [IMAGES[name] for name in names]


def test_reading_shards_imports_neither_torch_nor_pandas(tmp_path: Path) -> None:
    pack(tmp_path, IMAGES)
    code = f"""
import sys, pathlib
from reproid.datasets.data_folder import DataFolder
assert len(DataFolder(pathlib.Path({str(tmp_path)!r})).read("3/1/008.jpg")) == 320
print(sorted({{"pandas", "torch"}} & sys.modules.keys()))
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_data_folder_opens_shards_anew_when_they_were_written_anew(tmp_path: Path) -> None:
    pack(tmp_path, {"a.jpg": b"before"})
    old = DataFolder(tmp_path)
    assert old.read("a.jpg") == b"before"
    pack(tmp_path, {"a.jpg": b"after"})
    assert DataFolder(tmp_path).read("a.jpg") == b"after"
    assert old.read("a.jpg") == b"before"  # what a process has mapped stays


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/a.jpg", "x/../../a.jpg", "./a.jpg", "", "x/", "..", "a//b.jpg"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jpg").write_bytes(b"secret")
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="set: the image lies outside the folder; expected a path below it"):
        DataFolder(tmp_path / "set").read(name)
    with pytest.raises(InputError, match="the name cannot be packed; expected a plain path below the folder"):
        pack(tmp_path / "set", {name: b""})
    assert not list((tmp_path / "set").rglob("*.tar"))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the name cannot be packed; .* got '\\udcff\.jpg'"):
        pack(tmp_path, {"\udcff.jpg": b""})


def test_a_name_that_is_no_text_is_found_nowhere(tmp_path: Path) -> None:
    pack(tmp_path, {"?.jpg": b"x"})
    with pytest.raises(InputError, match="image not found"):
        DataFolder(tmp_path).read("\udcff.jpg")


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    message = r"shards: two images share a name; expected each once, got a\.jpg"
    with pytest.raises(InputError, match=message), ShardWriter(tmp_path / "shards") as writer:
        writer.add("a.jpg", b"")
        writer.add("a.jpg", b"")


def damage(path: Path, position: int, *, cut: bool = False) -> None:
    data = bytearray(path.read_bytes())
    data[position:] = b"" if cut else bytes([data[position] ^ 0x41]) + data[position + 1 :]
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda s: damage(s / "00000.tar", 512),
            r"shards/00000\.tar:a/b\.jpg: the image differs from what was packed; expected CRC",
        ),
        (lambda s: damage(s / "00000.tar", 600, cut=True), r"00000\.tar: the shard has another size .* 10,240 bytes, got 600"),
        (lambda s: (s / "00000.tar").unlink(), r"shards/00000\.tar: the shard cannot be read \(No such file"),
        (lambda s: (s / "index.arrow").write_bytes(b""), r"shards/index\.arrow: not an index of shards \("),
        (lambda s: (s / "index.arrow").write_text("no index" * 99), r"index\.arrow: not an index of shards \(Not an Arrow file"),
    ],
    ids=["content", "truncated", "missing", "empty index", "other index"],
)
def test_damaged_shards_are_named(tmp_path: Path, spoil, message: str) -> None:
    spoil(pack(tmp_path, {"a/b.jpg": b"content"}))
    with pytest.raises(InputError, match=message):
        DataFolder(tmp_path).read("a/b.jpg")


SHARD, GOOD = Shard(name="00000.tar", size=10240, sha256="0"), Member("a.jpg", 0, 512, 7, 1)


@pytest.mark.parametrize(
    ("shard", "member", "reason"),
    [
        (replace(SHARD, name="../x.tar"), GOOD, "the name of a shard is none"),
        (replace(SHARD, size=-1), GOOD, "size or digest of 00000.tar is none"),
        (SHARD, replace(GOOD, shard=1), "a member in shard 1 of 1"),
        (SHARD, replace(GOOD, offset=0), "a member lies outside its shard"),
        (SHARD, replace(GOOD, offset=10240), "a member lies outside its shard"),
        (SHARD, replace(GOOD, size=2**62), "a member lies outside its shard"),
        (SHARD, replace(GOOD, offset=2**63 - 1), "a member lies outside its shard"),
        (SHARD, replace(GOOD, size=-7), "a member lies outside its shard"),
        (SHARD, replace(GOOD, name="../a.jpg"), "a name is no path below the folder"),
    ],
    ids=["shard name", "shard size", "shard", "offset 0", "offset", "size", "offset large", "size below 0", "name"],
)
def test_index_that_cannot_be_is_refused(tmp_path: Path, shard: Shard, member: Member, reason: str) -> None:
    pack(tmp_path, {"a.jpg": b"content"})
    write_index(tmp_path / "shards", [shard], [member])
    with pytest.raises(
        InputError, match=rf"index\.arrow: not an index of shards \({reason}\)\. Delete the folder shards and make it again"
    ):
        Shards(tmp_path / "shards")


def test_shard_that_was_interrupted_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ShardFile(tmp_path, 0) as shard:
        shard.add("a.jpg", b"a")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


NAMES = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=300).filter(lambda name: not bad_name(name))


@settings(deadline=None, max_examples=50)
@given(images=st.dictionaries(NAMES, st.binary(max_size=1500), min_size=1, max_size=8), limit=st.integers(1, 4000))
def test_any_names_and_contents_are_read_as_packed(images: dict[str, bytes], limit: int) -> None:
    with TemporaryDirectory() as folder:
        shards = Shards(pack(Path(folder), images, shard_bytes=limit))
        found = {name: shards.read(row) for name in images if (row := shards.find(name)) is not None}
        assert found == images
        assert [shards.name(row) for row in range(len(shards))] == sorted(images)
        assert all(shards.find(name + "x") is None or name + "x" in images for name in images)


@settings(deadline=None, max_examples=150)
@given(data=st.data(), cut=st.booleans(), file=st.sampled_from(["index.arrow", "00000.tar", "00001.tar"]))
def test_any_damage_is_an_input_error_or_changes_no_image(data: st.DataObject, cut: bool, file: str) -> None:
    with TemporaryDirectory() as name:
        folder = pack(Path(name), IMAGES, shard_bytes=4000)
        damage(folder / file, data.draw(st.integers(0, (folder / file).stat().st_size - 1), label="position"), cut=cut)
        message, found = "", {}
        try:
            shards = Shards(folder)
            found = {image: shards.read(row) for image in IMAGES if (row := shards.find(image)) is not None}
        except InputError as error:
            message = str(error)
        assert message.startswith(str(folder)) or all(IMAGES[image] == content for image, content in found.items())
