import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import RealDataSet
from reproid.datasets.check import check_data
from reproid.datasets.ilids_vid import read_ilids_vid
from reproid.datasets.layouts import build_index
from reproid.datasets.prid_2011 import DRAWN, drawn_splits, read_prid_2011
from reproid.errors import InputError
from reproid.retrieval.splits import parse_split
from support.real_sets import METADATA, MISSING, PIXEL, make_ilids_vid, make_prid_2011, sequences, splits

PERSONS = ("person001", "person004", "person007", "person009")


@pytest.fixture
def ilids(tmp_path: Path) -> Path:
    """Four persons whose numbers have gaps, two frames each."""
    for camera in ("cam1", "cam2"):
        for person in PERSONS:
            folder = tmp_path / "i-LIDS-VID/sequences" / camera / person
            folder.mkdir(parents=True)
            for frame in (317, 318):
                Image.new("RGB", (16, 32)).save(folder / f"{camera}_{person}_{frame:05d}.png")
    (tmp_path / "train-test people splits").mkdir()
    _save_splits(tmp_path, np.tile([[2, 4, 1, 3]], (10, 1)))
    return tmp_path


def _save_splits(root: Path, rows: np.ndarray) -> None:
    savemat(root / "train-test people splits/train_test_splits_ilidsvid.mat", {"ls_set": rows})


def test_read_ilids_vid_splits_count_positions_not_numbers(ilids: Path) -> None:
    layout = read_ilids_vid(ilids)
    roles = {(a.role, a.tracklet_id) for a in layout.assignments if a.split == "split-0"}
    assert roles == {
        *(("query", f"cam1_{p}") for p in ("person004", "person009")),
        *(("gallery", f"cam2_{p}") for p in ("person004", "person009")),
        *(("train", f"{c}_{p}") for c in ("cam1", "cam2") for p in ("person001", "person007")),
    }
    assert {t.tracklet_id: t.pid for t in layout.tracklets}["cam2_person009"] == 9


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.tile([[2, 4, 1, 5]], (10, 1)), "a split does not name every person once; expected 1..4, got 4 numbers in 1..5"),
        (np.ones((3, 3)), "ls_set has another shape; expected 10 splits, got 9 numbers in all"),
    ],
    ids=["other persons", "three splits"],
)
def test_read_ilids_vid_wrong_splits_are_refused(ilids: Path, rows: np.ndarray, message: str) -> None:
    _save_splits(ilids, rows)
    with pytest.raises(InputError, match=message):
        read_ilids_vid(ilids)


def test_read_ilids_vid_person_without_a_camera_is_named(ilids: Path) -> None:
    for path in (ilids / "i-LIDS-VID/sequences/cam2/person004").iterdir():
        path.unlink()
    (ilids / "i-LIDS-VID/sequences/cam2/person004").rmdir()
    with pytest.raises(InputError, match="persons lack a camera; .*got 1: person004"):
        read_ilids_vid(ilids)


def _make_prid(root: Path, persons: range) -> None:
    for camera in ("cam_a", "cam_b"):
        for person in persons:
            folder = root / "prid_2011/multi_shot" / camera / f"person_{person:04d}"
            folder.mkdir(parents=True)
            (folder / "0001.png").write_bytes(b"")


def test_read_prid_2011_drawn_splits_leave_other_persons_out(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 201))
    layout = read_prid_2011(tmp_path)
    assert layout.facts == {"persons_a": 200, "persons_b": 200, "persons_used": 178, "tracklets_used": 356, "frames_used": 356}
    assert sum(a.role == "query" for a in layout.assignments) == 890
    assert sorted({a.split for a in layout.assignments}) == [f"reproid-1-{k}" for k in range(10)]


def test_read_prid_2011_archive_s_own_tree_is_the_same(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 201))
    around = read_prid_2011(tmp_path)
    (tmp_path / "prid_2011/multi_shot").rename(tmp_path / "multi_shot")
    (tmp_path / "prid_2011").rmdir()
    bare = read_prid_2011(tmp_path)
    assert (bare.assignments, bare.facts) == (around.assignments, around.facts)
    frames = [[frame.removeprefix("prid_2011/") for t in layout.tracklets for frame in t.frames] for layout in (around, bare)]
    assert frames[0] == frames[1]


def test_read_prid_2011_folder_without_images_says_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="files of the data set are missing; .*prid_2011/multi_shot/cam_a"):
        read_prid_2011(tmp_path)


def test_read_prid_2011_missing_person_is_named(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(2, 201))
    with pytest.raises(InputError, match="persons of the splits are missing; expected 178 persons .*got no person_0001"):
        read_prid_2011(tmp_path)


def test_read_prid_2011_person_without_an_image_is_named(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 201))
    (tmp_path / "prid_2011/multi_shot/cam_b/person_0002/0001.png").unlink()
    with pytest.raises(InputError, match="persons without an image; expected PNG files, got cam_b/person_0002"):
        read_prid_2011(tmp_path)


def test_drawn_splits_halve_178_persons_ten_times_and_never_change() -> None:
    splits = drawn_splits()
    assert len(splits) == 10
    assert {(len(s.train), len(s.test), len(s.train | s.test)) for s in splits} == {(89, 89, 178)}
    assert len({s.train for s in splits}) == 10
    text = json.dumps([sorted(split.train) for split in splits])
    assert hashlib.sha256(text.encode()).hexdigest() == "99830b83e45ec6089b31914d423d0499c50696e55ce9a22288fc19e2f68232be"


def test_declared_splits_of_prid_2011_are_the_drawn_ones() -> None:
    declared = load_catalog().datasets["prid-2011"].splits
    assert declared == tuple(f"{DRAWN}-{k}" for k in range(10))
    assert {parse_split(name).set for name in declared} == {DRAWN}


@pytest.mark.parametrize("layout", ["ilids-vid", "prid-2011"])
def test_split_file_in_torchreid_s_format_takes_the_place(layout: str, ilids: Path, tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 5))
    names = list(PERSONS) if layout == "ilids-vid" else [f"person_{k:04d}" for k in range(1, 5)]
    splits = [{"train": names[:2], "test": names[2:], "num_train": 2}, {"train": names[2:], "test": names[:2]}]
    (tmp_path / "splits.json").write_text(json.dumps(splits))
    read, kind = (read_ilids_vid, "json") if layout == "ilids-vid" else (read_prid_2011, "split")
    queries = [
        (a.split, a.tracklet_id.partition("_")[2].removeprefix("a_")) for a in read(tmp_path).assignments if a.role == "query"
    ]
    assert queries == [(f"{kind}-0", n) for n in names[2:]] + [(f"{kind}-1", n) for n in names[:2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"train": []}', "not a list of splits; .*got {'train'"),
        ("[]", "not a list of splits; .*got an empty list"),
        ('[{"train": ["person001"]}]', "split 0: not a split; .*got None"),
        ('[{"train": ["person001", 4], "test": ["person007"]}]', "split 0: not a split; .*got a list with 4"),
        ('[{"train": [], "test": ["person007"]}]', "split 0: not a split; .*got an empty list"),
        ("[7]", "split 0: not a split; .*got 7"),
        ('[{"train": ["person001", "person001"], "test": ["person007"]}]', "named twice; expected each once, got person001"),
        ('[{"train": ["person001"], "test": ["person001"]}]', "in training and in test; .*got person001"),
        ('[{"train": ["person001"], "test": ["person002"]}]', "persons of the splits are missing; .*got 'person002'"),
        ("{", "splits.json: not a JSON file"),
    ],
)
def test_split_file_that_does_not_fit_is_refused(ilids: Path, content: str, message: str) -> None:
    (ilids / "splits.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_ilids_vid(ilids)


@pytest.mark.skipif(not METADATA.is_dir(), reason=MISSING)
def test_real_ilids_vid_tree_has_the_published_counts_and_splits(tmp_path: Path) -> None:
    root = make_ilids_vid(tmp_path, PIXEL)
    declared = load_catalog().datasets["ilids-vid"]
    assert isinstance(declared, RealDataSet)
    found = check_data(root, layout="ilids-vid", counts=declared.counts, cameras=declared.cameras, quick=True)
    assert found.passed, found.differing
    assert sum(line.verdict == "ok" for line in found.lines) == 13
    index = build_index("ilids-vid", root, layout="ilids-vid", expected=declared.counts)
    assert index.splits == declared.splits
    for name, split in zip(index.splits, splits("ilids-vid"), strict=True):
        assert {t.tracklet_id.removeprefix("cam1_") for t in index.tracklets("query", name)} == set(split["test"])
        assert len(index.tracklets("train", name)) == 300
    rows = {f"{row['camera']}_{row['person']}": row for row in sequences("ilids-vid")}
    for tracklet_id, tracklet in index.records.items():
        row, names = rows[tracklet_id], [frame.rpartition("/")[2] for frame in tracklet.frames]
        assert (names[0], names[-1], str(len(names))) == (row["first_frame"], row["last_frame"], row["frames"])
    (root / "splits.json").write_text(json.dumps(splits("ilids-vid")))
    again = build_index("ilids-vid", root, layout="ilids-vid")
    assert [a.tracklet_id for a in again.assignments] == [a.tracklet_id for a in index.assignments]


@pytest.mark.skipif(not METADATA.is_dir(), reason=MISSING)
def test_real_prid_2011_tree_has_the_published_counts(tmp_path: Path) -> None:
    root = make_prid_2011(tmp_path, PIXEL)
    declared = load_catalog().datasets["prid-2011"]
    assert isinstance(declared, RealDataSet)
    found = check_data(root, layout="prid-2011", counts=declared.counts, cameras=declared.cameras, quick=True)
    assert found.passed, found.differing
    index = build_index("prid-2011", root, layout="prid-2011", expected=declared.counts)
    assert index.splits == declared.splits
    assert set.union(*({*s["train"], *s["test"]} for s in splits("prid2011"))) == drawn_splits()[0].train | drawn_splits()[0].test
    drawn = {split.train for split in drawn_splits()}
    assert not drawn & {frozenset(split["train"]) for split in splits("prid2011")}
    assert min(len(tracklet.frames) for tracklet in index.records.values()) == 28
    (root / "splits.json").write_text(json.dumps(splits("prid2011")))
    again = build_index("prid-2011", root, layout="prid-2011", expected=declared.counts)
    for name, split in zip(again.splits, splits("prid2011"), strict=True):
        assert {t.tracklet_id.removeprefix("cam_a_") for t in again.tracklets("query", name)} == set(split["test"])
