"""Packing: the same index, clips and digest from shards as from files, in every layout; interrupted, continued, verified."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from reproid.catalog.settings import Clips, Embed
from reproid.catalog.synthetic import SyntheticSpec
from reproid.clips.datasets import Draw, TestClips, TrainingClips
from reproid.clips.loader import load_batches
from reproid.datasets import pack as pack_module
from reproid.datasets.check import check_data
from reproid.datasets.data_folder import DataFolder
from reproid.datasets.index import Index, write_index
from reproid.datasets.layouts import build_index
from reproid.datasets.pack import pack, verify
from reproid.datasets.shard_writer import ShardWriter
from reproid.errors import InputError
from reproid.inference.rank import choose_sides
from reproid.retrieval.pictures import thumbnails
from reproid.synthetic.render import render_dataset
from reproid.synthetic.sheet import write_gif, write_sheet
from reproid.synthetic.truth_sheet import write_truth_sheet
from reproid.training.digests import data_sha256
from reproid.training.run import TrainJob, train_run
from support.tracklets import small_run, write_tracklets

SPEC = SyntheticSpec(train_persons=4, test_persons=4, cameras=2, frames=(2, 3), distractors=1, junk=1, height=32, width=16)
SHARD_BYTES = 8_000
CLIPS = Clips(frames=2, height=16, width=8)


@pytest.fixture(scope="module")
def mars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_dataset(SPEC.model_copy(update={"truth": True}), tmp_path_factory.mktemp("mars") / "set").folder


@pytest.fixture(scope="module")
def packed(mars: Path) -> Path:
    return pack(mars, mars.parent / "packed", shard_bytes=SHARD_BYTES).folder


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def index_at(root: Path, out: Path, layout: str) -> tuple[Index, dict[str, bytes], str]:
    index = build_index("set", root, layout=layout)
    write_index(index, out)
    return index, bytes_below(out), data_sha256(out)


@pytest.mark.parametrize("layout", ["mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid"])
def test_packed_set_gives_the_same_index_and_digest(tmp_path: Path, layout: str) -> None:
    plain = {"distractors": 0, "junk": 0, "tracklets_per_camera": (1, 1)}
    spec = SPEC.model_copy(update=plain if layout in ("ilids-vid", "prid-2011") else {})
    root = render_dataset(spec, tmp_path / "set", layout=layout).folder
    done = pack(root, tmp_path / "packed", shard_bytes=SHARD_BYTES)
    assert done.shards > 2
    assert not [path for path in done.folder.rglob("*") if path.suffix in (".jpg", ".png")]
    loose, small = (index_at(folder, tmp_path / f"i-{folder.name}", layout) for folder in (root, done.folder))
    assert small == loose
    checks = [check_data(folder, layout=layout, counts={"persons": 1}, cameras={}) for folder in (root, done.folder)]
    assert checks[0] == checks[1]
    assert checks[1].opened > 0


def market(root: Path) -> None:
    for name in ("0001_c1s1_000151_01.jpg", "0001_c2s1_000001_01.jpg", "-1_c1s1_000001_01.png"):
        Image.effect_noise((16, 32), 50).save(root / name)


def tree(root: Path) -> None:
    for name in ("7/0/a.jpg", "7/1/b.jpg", "7/1/c.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((16, 32), 50).save(root / name)


def roles(root: Path) -> None:
    for name in ("query", "bounding_box_test"):
        (root / name).mkdir()
        market(root / name)


def table(root: Path) -> None:
    tree(root)
    (root / "images.csv").write_text("path,pid,camid\n7/1/c.jpg,3,0\n7/0/a.jpg,3,1\n")


@pytest.mark.parametrize("make", [market, tree, roles, table])
def test_packed_folder_of_own_images_gives_the_same_index(tmp_path: Path, make) -> None:
    (tmp_path / "set").mkdir()
    make(tmp_path / "set")
    pack(tmp_path / "set", tmp_path / "packed")
    loose, small = (index_at(tmp_path / name, tmp_path / f"i-{name}", "folder") for name in ("set", "packed"))
    assert small == loose


def test_packed_set_gives_the_same_clips_by_any_workers(mars: Path, packed: Path) -> None:
    index = build_index("set", mars, layout="mars")
    draws = [[Draw(0, 3 * step + slot, (5 * step + slot) % 8) for slot in range(3)] for step in range(4)]
    train = [TrainingClips(tracklets=index.tracklets("train"), data=root, settings=CLIPS, seed=3) for root in (mars, packed)]
    loose = list(load_batches(train[0], draws, workers=0))
    for workers in (0, 2):
        for one, two in zip(loose, load_batches(train[1], draws, workers=workers), strict=True):
            assert one.erased is not None
            assert two.erased is not None
            assert torch.equal(one.frames, two.frames)
            assert torch.equal(one.erased, two.erased)
    test = [TestClips(index.tracklets("gallery"), data=root, clips=CLIPS, embed=Embed(frames=2)) for root in (mars, packed)]
    assert all(torch.equal(test[0][item].frames, test[1][item].frames) for item in range(len(test[0])))


def test_packed_set_gives_the_same_pictures(mars: Path, packed: Path, tmp_path: Path) -> None:
    index, _, _ = index_at(packed, tmp_path / "index", "mars")
    pictures = [thumbnails(list(index.records), index=tmp_path / "index", data=root) for root in (mars, packed)]
    assert len(pictures[0]) == len(index.records)
    assert pictures[0] == pictures[1]
    assert choose_sides(index, mars, halves=True) == choose_sides(index, packed, halves=True)
    for write, name in ((write_sheet, "sheet.png"), (write_gif, "person.gif"), (write_truth_sheet, "truth.png")):
        for root in (mars, packed):
            write(root, tmp_path / root.name / name)
        assert (tmp_path / "packed" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()


def test_packed_set_trains_to_the_same_bytes(tmp_path: Path) -> None:
    places = write_tracklets(tmp_path)
    pack(places.data, tmp_path / "packed", shard_bytes=SHARD_BYTES)
    run = small_run(epochs=1, steps_per_epoch=2)
    for name, data, workers in (("loose", places.data, 0), ("packed", tmp_path / "packed", 2)):
        out, state = tmp_path / f"run-{name}", tmp_path / "state" / name
        train_run(TrainJob(run=run, index=places.index, data=data, out=out, state=state, workers=workers))
    loose, packed = (bytes_below(tmp_path / f"run-{name}") for name in ("loose", "packed"))
    for name in ("model.safetensors", "history.csv", "run.json"):
        assert loose[name] == packed[name]
    manifests = [json.loads(files["manifest.json"]) for files in (loose, packed)]
    assert manifests[0]["data_sha256"] == manifests[1]["data_sha256"]


def test_broken_image_in_a_shard_is_named_with_its_member(mars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(mars, tmp_path / "set")
    index = build_index("set", root, layout="mars")
    tracklet = index.tracklets("gallery")[0]
    (root / tracklet.frames[1]).write_bytes((root / tracklet.frames[1]).read_bytes()[:300])
    pack(root, tmp_path / "packed")
    clips = TestClips([tracklet], data=tmp_path / "packed", clips=CLIPS, embed=Embed(frames=2))
    member = f"{tmp_path}/packed/shards/00000.tar:{tracklet.frames[1]}"
    with pytest.raises(InputError, match=f"^{member}: image is cut off; expected a whole image, got 300 bytes"):
        list(load_batches(clips, [[0]], workers=1))


def test_pack_twice_is_the_same_bytes_by_any_workers_and_writes_nothing_to_the_data(mars: Path, packed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in mars.rglob("*")}
    os.utime(next(mars.rglob("*.jpg")), ns=(1, before[next(mars.rglob("*.jpg"))]))
    pack(mars, mars.parent / "again", shard_bytes=SHARD_BYTES, workers=1)
    assert bytes_below(mars.parent / "again") == bytes_below(packed)
    assert {path: path.stat().st_mtime_ns for path in mars.rglob("*")} == before
    times = {path: path.stat().st_mtime_ns for path in packed.rglob("*")}
    assert not pack(mars, packed, shard_bytes=SHARD_BYTES).fresh
    assert {path: path.stat().st_mtime_ns for path in packed.rglob("*")} == times


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("change", [None, "data", "size"])
def test_pack_interrupted_is_continued_or_started_over(mars: Path, packed: Path, tmp_path: Path, monkeypatch, change) -> None:
    root, out = shutil.copytree(mars, tmp_path / "set"), tmp_path / "out"
    names: list[str] = []

    def read(self: DataFolder, name: str) -> bytes:
        names.append(name)
        if len(names) == killed_at:
            raise _KilledError
        return (self.root / name).read_bytes()

    monkeypatch.setattr(DataFolder, "read", read)
    monkeypatch.setattr(pack_module, "CHUNK", 4)
    total = len(list(root.rglob("*.jpg")))
    killed_at = total // 2
    with pytest.raises(_KilledError):
        pack(root, out, shard_bytes=SHARD_BYTES, workers=1)
    assert len(list(out.rglob("*.tar"))) > 1
    assert not (out / "shards/index.arrow").exists()
    with pytest.raises(InputError, match="images named by the data set are missing"):
        build_index("set", _with_info(root, out, tmp_path / "half"), layout="mars")
    (out / "shards/.00001.tar.killed.partial.tar").write_bytes(b"what kill -9 leaves")
    if change == "data":
        image = min(root.rglob("*.jpg"))
        image.write_bytes(image.read_bytes()[:-1] + b"x")
        os.utime(image, ns=(1, 1))
    names.clear()
    killed_at = 0
    done = pack(root, out, shard_bytes=SHARD_BYTES // (2 if change == "size" else 1), workers=1)
    assert done.fresh
    assert (len(names) < total) == (change is None)
    assert (bytes_below(out) == bytes_below(packed)) == (change is None)
    assert verify(out) == total
    assert not [path for path in out.rglob("*") if path.name.startswith(".") or path.name.endswith((".tar.json", "plan.json"))]


def _with_info(root: Path, out: Path, target: Path) -> Path:
    """Return a copy of a half packed set with the data set's other files, which come last."""
    shutil.copytree(out, target)
    shutil.copytree(root / "info", target / "info")
    for name in ("bbox_train", "bbox_test"):
        (target / name).mkdir()
    return target


def test_pack_copies_other_files_and_leaves_archives_out(mars: Path, tmp_path: Path) -> None:
    root = shutil.copytree(mars, tmp_path / "set")
    (root / "MARS.zip").write_bytes(b"zip")
    (root / ".hidden.jpg").write_bytes(b"")
    done = pack(root, tmp_path / "packed")
    assert done.left_out == ("MARS.zip",)
    assert (tmp_path / "packed/info/query_IDX.mat").read_bytes() == (root / "info/query_IDX.mat").read_bytes()
    assert not (tmp_path / "packed/MARS.zip").exists()
    assert not DataFolder(tmp_path / "packed").exists(".hidden.jpg")


def _spoil(name: str):
    def spoil(folder: Path) -> None:
        path = folder / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_spoil("shards/00001.tar"), r"is damaged; expected the files of SHA256SUMS, got 1 that differ: shards/00001\.tar"),
        (_spoil("info/query_IDX.mat"), r"got 1 that differ: info/query_IDX\.mat"),
        (lambda folder: (folder / "info/query_IDX.mat").unlink(), r"got 1 that differ: info/query_IDX\.mat"),
        (lambda folder: (folder / "shards/SHA256SUMS").unlink(), r"SHA256SUMS: sums of the packed data set are missing"),
        (
            lambda folder: (folder / "shards/SHA256SUMS").write_text("0  ../x\n"),
            r"SHA256SUMS: not a list of sums; .* got '\.\./x'",
        ),
        (lambda folder: (folder / "shards/SHA256SUMS").write_text(""), r"got no such sum of 00000\.tar, "),
        (lambda folder: (folder / "shards/00001.tar").unlink(), r"shards/00001\.tar: the shard cannot be read"),
        (lambda folder: shutil.rmtree(folder / "shards"), r"shards/index\.arrow: no index of shards; expected a packed folder"),
    ],
    ids=["shard", "other file", "file gone", "sums gone", "sums escape", "sums empty", "shard gone", "not packed"],
)
def test_verify_names_what_is_damaged(packed: Path, tmp_path: Path, spoil, message: str) -> None:
    folder = shutil.copytree(packed, tmp_path / "packed")
    assert verify(folder) > 0
    spoil(folder)
    with pytest.raises(InputError, match=message):
        verify(folder)


def _inside(root: Path) -> Path:
    return root / "packed"


def _other(root: Path) -> Path:
    tree(root.parent / "b")
    return pack(root.parent / "b", root.parent / "out").folder


def _mine(root: Path) -> Path:
    (root.parent / "out").mkdir()
    (root.parent / "out/thesis.tex").write_text("precious")
    return root.parent / "out"


def _file(root: Path) -> Path:
    (root.parent / "out").write_text("precious")
    return root.parent / "out"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (_inside, r"set/packed: the shards would lie in the data set's own folder"),
        (lambda root: root, r"set: the shards would lie in the data set's own folder"),
        (_other, r"out: the folder holds other data, packed; expected the images of .*set, got others: 7/0/a\.jpg, "),
        (_mine, r"out: the folder is not empty and holds no packed data set"),
        (_file, r"out: not a folder"),
    ],
    ids=["inside", "itself", "other data", "somebody's files", "file"],
)
def test_pack_refuses_a_folder_that_is_not_its_own(tmp_path: Path, target, message: str) -> None:
    tree(tmp_path / "set")
    Image.effect_noise((16, 32), 50).save(tmp_path / "set/7/0/d.jpg")
    before = bytes_below(tmp_path)
    out = target(tmp_path / "set")
    after = bytes_below(tmp_path)
    with pytest.raises(InputError, match=message):
        pack(tmp_path / "set", out)
    assert bytes_below(tmp_path) == after
    assert before.items() <= after.items()


def _link(to: str):
    return lambda root: (root / "7/0/link.jpg").symlink_to(root.parent / to)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, r"set: data folder not found"),
        (lambda root: [path.unlink() for path in root.rglob("*.jpg")], r"set: no image to pack; expected files in \.jpg"),
        (_link("secret.jpg"), r"7/0/link\.jpg: a link out of the folder is not followed; got .*secret\.jpg"),
        (_link("set/7/1"), r"7/0/link\.jpg: a link to a folder is not followed"),
        (lambda root: (root / "a\nb.jpg").write_bytes(b""), r"set: the name cannot be packed; .* got 'a\\nb\.jpg'"),
        (lambda root: Path(os.fsdecode(os.fsencode(root) + b"/\xff.jpg")).write_bytes(b""), r"got '\\udcff\.jpg'"),
        (lambda root: (pack(root, root.parent / "p"), shutil.rmtree(root), (root.parent / "p").rename(root)), r"packed already"),
    ],
    ids=["missing", "no image", "link", "link to a folder", "line end", "no text", "packed"],
)
def test_pack_refuses_data_that_it_cannot_hold(tmp_path: Path, spoil, message: str) -> None:
    tree(tmp_path / "set")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    spoil(tmp_path / "set")
    with pytest.raises(InputError, match=message):
        pack(tmp_path / "set", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pack_copies_the_shards_of_crops_as_they_are(tmp_path: Path) -> None:
    tree(tmp_path / "set")
    with ShardWriter(tmp_path / "set/crops/door/shards") as writer:
        writer.add("7/000001.jpg", b"crop")
    done = pack(tmp_path / "set", tmp_path / "out")
    assert (done.images, done.copied) == (3, 2)
    assert DataFolder(done.folder).read("crops/door/7/000001.jpg") == b"crop"
    assert verify(done.folder) == 3
    shutil.rmtree(tmp_path / "set/7")
    with pytest.raises(InputError, match="no image to pack; .* got 2 other files, and crops in shards"):
        pack(tmp_path / "set", tmp_path / "again")


def test_pack_follows_a_link_within_the_folder(tmp_path: Path) -> None:
    tree(tmp_path / "set")
    (tmp_path / "set/7/0/link.jpg").symlink_to("a.jpg")
    data = DataFolder(pack(tmp_path / "set", tmp_path / "out").folder)
    assert data.read("7/0/link.jpg") == data.read("7/0/a.jpg")
