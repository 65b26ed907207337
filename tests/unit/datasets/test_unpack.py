import io
import os
import stat
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reproid.datasets.unpack import Limits, Unpacked, unpack
from reproid.errors import InputError

FILES = {"set/0001/a.jpg": b"a" * 700, "set/0001/b.jpg": b"b" * 1024, "set/list.txt": b"one\r\ntwo\r\n"}


def tar_of(path: Path, files: dict[str, bytes], *more: tarfile.TarInfo) -> Path:
    mode = "w:gz" if path.suffix == ".gz" else "w"
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in more:
            tar.addfile(info)
    return path


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name, text in files.items():
            content.writestr(name, text)
    return path


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def read_all(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", ["set.tar", "set.tar.gz", "set.zip"])
def test_unpack_then_again_changes_nothing(name: str, tmp_path: Path) -> None:
    archive = (zip_of if name.endswith("zip") else tar_of)(tmp_path / name, FILES)
    assert unpack(archive, tmp_path / "out") == Unpacked(files=3, fresh=3)
    assert read_all(tmp_path / "out") == FILES
    (tmp_path / "out/set/0001/b.jpg").unlink()  # interrupted
    (tmp_path / "out/set/0001/.b.jpg.partial").write_bytes(b"half")
    assert unpack(archive, tmp_path / "out") == Unpacked(files=3, fresh=1)
    assert read_all(tmp_path / "out") == FILES


@pytest.mark.parametrize("other", [b"c" * 700, b"a" * 699, b"a" * 701])
@pytest.mark.parametrize("name", ["set.tar", "set.zip"])
def test_unpack_overwrites_nothing(name: str, other: bytes, tmp_path: Path) -> None:
    archive = (zip_of if name.endswith("zip") else tar_of)(tmp_path / name, FILES)
    (tmp_path / "out/set/0001").mkdir(parents=True)
    (tmp_path / "out/set/0001/a.jpg").write_bytes(other)
    with pytest.raises(InputError, match=r"0001/a.jpg: a file would be overwritten; .*Move it away"):
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/set/0001/a.jpg").read_bytes() == other


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "a\\..\\x", "C:/x", "a/./b"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_unpack_name_that_leads_out_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    archive = (zip_of if kind == "zip" else tar_of)(tmp_path / f"set.{kind}", {name: b"x"})
    with pytest.raises(InputError, match="a name leads out of the folder"):
        unpack(archive, tmp_path / "deep/out")
    assert [p.name for p in tmp_path.rglob("x")] == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_unpack_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "set.tar", {}, link("set/out", "../..", kind))
    with pytest.raises(InputError, match="the archive holds a link or a device; .*got 'set/out'"):
        unpack(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_unpack_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as content:
        info = zipfile.ZipInfo("set/out")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        content.writestr(info, "/etc")
    with pytest.raises(InputError, match="the archive holds a link or a device"):
        unpack(tmp_path / "set.zip", tmp_path / "out")


def test_unpack_through_a_link_in_the_folder_is_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "set.tar", FILES)
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/set").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="a link in the folder leads out of it"):
        unpack(archive, tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_unpack_link_in_a_file_s_place_is_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "set.tar", {"a": b"new"})
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / "out/a").symlink_to(tmp_path / "precious")
    (tmp_path / "out/.a.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="a file would be overwritten"):
        unpack(archive, tmp_path / "out")
    (tmp_path / "out/a").unlink()
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "precious").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tar.gz"])
def test_unpack_bomb_is_refused_before_it_is_written(name: str, tmp_path: Path) -> None:
    archive = (zip_of if name.endswith("zip") else tar_of)(tmp_path / name, {"a": b"x", "b": bytes(3_000_000)})
    with pytest.raises(InputError, match=r"the archive is a bomb; expected at most 1,000,000 bytes, got 3,000,001 or more"):
        unpack(archive, tmp_path / "out", limits=Limits(free_bytes=1_000_000))
    assert read_all(tmp_path / "out") == {"a": b"x"}
    with pytest.raises(InputError, match="too many files; expected at most 1"):
        unpack(archive, tmp_path / "out", limits=Limits(files=1))


def test_unpack_zip_that_lies_about_a_length_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "set.zip", {"a": bytes(100_000)})
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", 10)
    archive.write_bytes(content)
    with pytest.raises(InputError, match="broken or cut off .*CRC"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out/a").exists()


def test_unpack_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        for content in (b"1", b"2"):
            info = tarfile.TarInfo("a")
            info.size = 1
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(InputError, match="two files of one name; got a"):
        unpack(tmp_path / "set.tar", tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"1"


@pytest.mark.parametrize("keep", [512 + 100, 512 * 3, 512 * 3 + 100, 512 * 6])
def test_unpack_tar_cut_anywhere_is_refused(keep: int, tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "set.tar", FILES)
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(InputError, match="the archive is broken or cut off"):
        unpack(archive, tmp_path / "out")
    assert {n: c for n, c in read_all(tmp_path / "out").items() if not n.endswith(".partial")}.items() <= FILES.items()


def test_unpack_what_a_mac_adds_is_left_out(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "set.zip", {"a": b"1", "__MACOSX/._a": b"2", "set/.DS_Store": b"3", "set/._b": b"4"})
    assert unpack(archive, tmp_path / "out") == Unpacked(files=1, fresh=1)


def test_unpack_empty_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file in the archive"):
        unpack(zip_of(tmp_path / "set.zip", {}), tmp_path / "out")


def rar_of(files: dict[str, bytes]) -> bytes:
    """Return a RAR 5 archive of uncompressed files."""

    def number(value: int) -> bytes:
        out = bytearray()
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    def block(kind: int, flags: int, fields: bytes, size: int | None = None) -> bytes:
        body = number(kind) + number(flags) + (number(size) if size is not None else b"") + fields
        body = number(len(body)) + body
        return struct.pack("<I", zlib.crc32(body)) + body

    out = b"Rar!\x1a\x07\x01\x00" + block(1, 0, number(0))
    for name, content in files.items():
        encoded = name.encode()
        fields = number(4) + number(len(content)) + number(0o100644) + struct.pack("<I", zlib.crc32(content))
        fields += number(0) + number(1) + number(len(encoded)) + encoded
        out += block(2, 2, fields, size=len(content)) + content
    return out + block(5, 0, number(0))


STAND_IN = """#!{python}
import sys, tarfile
assert sys.argv[1:5] == ["-cf", "-", "--format", "pax"] and sys.argv[5].startswith("@/")
content = open(sys.argv[5][1:], "rb").read()
if b"b" * 1024 not in content:
    sys.exit("bsdtar: Truncated RAR file data")
sys.stdout.buffer.write(open({tar!r}, "rb").read())
"""
"""Does what bsdtar does for this test's archive."""


@pytest.fixture
def bsdtar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real program when REPROID_REAL_BSDTAR is set, else a stand-in."""
    if not os.environ.get("REPROID_REAL_BSDTAR"):
        (tmp_path / "bin").mkdir()
        text = STAND_IN.format(python=sys.executable, tar=str(tar_of(tmp_path / "same.tar", FILES)))
        (tmp_path / "bin/bsdtar").write_text(text)
        (tmp_path / "bin/bsdtar").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.usefixtures("bsdtar")
def test_unpack_rar_through_bsdtar(tmp_path: Path) -> None:
    archive = tmp_path / "set.rar"
    archive.write_bytes(rar_of(FILES))
    assert unpack(archive, tmp_path / "out") == Unpacked(files=3, fresh=3)
    assert read_all(tmp_path / "out") == FILES
    assert unpack(archive, tmp_path / "out").fresh == 0
    archive.write_bytes(archive.read_bytes()[:1000])
    with pytest.raises(InputError, match="bsdtar cannot read the archive"):
        unpack(archive, tmp_path / "other")
    with pytest.raises(InputError, match="the archive is a bomb"):
        archive.write_bytes(rar_of(FILES))
        unpack(archive, tmp_path / "third", limits=Limits(free_bytes=10, ratio=0))


def test_unpack_rar_without_bsdtar_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set.rar").write_bytes(rar_of(FILES))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="neither tar nor zip.*Install it: apt-get install libarchive-tools"):
        unpack(tmp_path / "set.rar", tmp_path / "out")


changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    kind=st.sampled_from(["set.tar", "set.tar.gz", "set.zip"]), changes=changes, keep=st.sampled_from([1.0, 1.0, 0.9, 0.5, 0.1])
)
def test_unpack_archive_with_changed_bytes_is_unpacked_or_refused_and_nothing_leaves_the_folder(
    kind: str, changes: list[tuple[float, int]], keep: float
) -> None:
    with TemporaryDirectory() as name:
        base = Path(name)
        archive = (zip_of if kind.endswith("zip") else tar_of)(base / kind, FILES)
        content = bytearray(archive.read_bytes())
        for place, byte in changes:
            content[int(place * len(content))] = byte
        archive.write_bytes(content[: int(keep * len(content))])
        try:
            done: object = unpack(archive, base / "deep/out", limits=Limits(free_bytes=100_000)).files
        except InputError as error:
            done = str(error)
        assert done == len(read_all(base / "deep/out")) or (isinstance(done, str) and len(done.splitlines()) == 1)
        assert {path.name for path in base.iterdir()} <= {kind, "deep"}
        assert {path.name for path in (base / "deep").iterdir()} <= {"out"}
        if kind == "set.zip":  # which has checksums
            whole = {n: c for n, c in read_all(base / "deep/out").items() if not n.endswith(".partial")}
            assert set(whole.values()) <= set(FILES.values())
