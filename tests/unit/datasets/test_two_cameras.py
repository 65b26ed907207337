import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from reproid.datasets.ilids_vid import read_ilids_vid
from reproid.datasets.prid_2011 import published_splits, read_prid_2011
from reproid.errors import InputError

METADATA = Path(__file__).resolve().parents[4] / "shared/metadata"
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


def test_read_prid_2011_published_splits_leave_other_persons_out(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 201))
    layout = read_prid_2011(tmp_path)
    assert layout.facts == {"persons_a": 200, "persons_b": 200, "persons_used": 178, "tracklets_used": 356, "frames_used": 356}
    assert sum(a.role == "query" for a in layout.assignments) == 890


def test_read_prid_2011_missing_person_is_named(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(2, 201))
    with pytest.raises(InputError, match="persons of the splits are missing; expected 178 persons .*got no person_0001"):
        read_prid_2011(tmp_path)


def test_read_prid_2011_broken_splits_are_named(tmp_path: Path) -> None:
    _make_prid(tmp_path, range(1, 3))
    (tmp_path / "splits.json").write_text('{"train": []}')
    with pytest.raises(InputError, match="splits.json: not a list of splits"):
        read_prid_2011(tmp_path)


def test_published_splits_halve_178_persons_ten_times() -> None:
    splits = published_splits()
    assert len(splits) == 10
    assert {(len(s.train), len(s.test), len(s.train | s.test)) for s in splits} == {(89, 89, 178)}
    assert len({s.train for s in splits}) == 10


@pytest.mark.skipif(not METADATA.is_dir(), reason="the real metadata of PRID-2011 are not beside this clone (../shared/metadata)")
def test_published_splits_are_those_of_the_source() -> None:
    source = json.loads((METADATA / "prid2011/splits.json").read_text())
    for number, split in enumerate(published_splits(), start=1):
        assert split.train == set(source[str(number)]["train"])
        assert split.test == set(source[str(number)]["test"])
    with (METADATA / "prid2011/sequences.csv").open() as file:
        rows = list(csv.DictReader(file))
    used = published_splits()[0].train | published_splits()[0].test
    assert {row["person"] for row in rows} >= used
    assert sum(int(row["frames"]) for row in rows if row["person"] in used) == 38466
