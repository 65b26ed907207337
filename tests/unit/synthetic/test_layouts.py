from pathlib import Path
from typing import get_args

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.io import loadmat

from reproid.catalog.datasets import Layout
from reproid.catalog.synthetic import SyntheticSpec
from reproid.datasets.index import Index
from reproid.datasets.layouts import LAYOUTS as READERS
from reproid.datasets.layouts import build_index
from reproid.errors import InputError
from reproid.synthetic.layouts import LAYOUTS, layout_writer
from reproid.synthetic.layouts._matlab import write_matlab73
from reproid.synthetic.plan import make_world
from reproid.synthetic.render import Rendered, render_dataset

# The one form that every layout can hold.
SPEC = SyntheticSpec(
    train_persons=4, test_persons=4, cameras=2, cameras_per_person=(2, 2), tracklets_per_camera=(1, 1), frames=(2, 4),
    distractors=0, junk=0, height=32, width=16, truth=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    return {layout: render_dataset(SPEC, tmp_path_factory.mktemp(layout) / "set", layout=layout) for layout in LAYOUTS}


@pytest.fixture(scope="module")
def indices(sets: dict[str, Rendered]) -> dict[str, Index]:
    return {layout: build_index(layout, made.folder, layout=layout, expected=made.counts) for layout, made in sets.items()}


def test_layouts_that_are_written_can_be_read() -> None:
    assert list(LAYOUTS) == [name for name in READERS if name != "folder"]


def test_layouts_are_the_official_ones_of_the_catalog() -> None:
    assert set(LAYOUTS) == set(get_args(Layout)) - {"folder"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_index_shows_the_planned_labels(layout: str, indices: dict[str, Index]) -> None:
    world, writer = make_world(SPEC), layout_writer(layout)
    planned = {writer.tracklet_id(world, t): (t.pid, t.camid, tuple(writer.paths(world, t)), t.subset) for t in world.tracklets}
    index = indices[layout]
    assert {t.tracklet_id: (t.pid, t.camid, t.frames, index.subsets[t.tracklet_id]) for t in index.records.values()} == planned


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_holds_the_same_pixels_as_mars(layout: str, sets: dict[str, Rendered]) -> None:
    assert sets[layout].digest == sets["mars"].digest
    world = make_world(SPEC)
    for tracklet in world.tracklets[:3]:
        pictures = [
            np.asarray(Image.open(sets[name].folder / layout_writer(name).paths(world, tracklet)[0])) for name in ("mars", layout)
        ]
        np.testing.assert_array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_holds_the_same_truth_as_mars(layout: str, sets: dict[str, Rendered], indices: dict[str, Index]) -> None:
    tables = [pq.read_table(sets[name].folder / "truth/images.parquet") for name in ("mars", layout)]
    assert tables[0].drop(["tracklet_id", "image"]).equals(tables[1].drop(["tracklet_id", "image"]))
    assert set(tables[1].column("tracklet_id").to_pylist()) == set(indices[layout].records)


@pytest.mark.parametrize("layout", ["ilids-vid", "prid-2011"])
def test_two_camera_layouts_have_ten_splits_of_camera_1_against_2(layout: str, indices: dict[str, Index]) -> None:
    index = indices[layout]
    assert index.splits == tuple(f"split-{k}" for k in range(10))
    trained = []
    for split in index.splits:
        train, query, gallery = (index.tracklets(role, split) for role in ("train", "query", "gallery"))  # type: ignore[arg-type]
        assert ({t.camid for t in query}, {t.camid for t in gallery}) == ({0}, {1})
        assert [t.pid for t in query] == [t.pid for t in gallery]
        assert (len(train), len(query)) == (8, 4)
        assert not {t.pid for t in train} & {t.pid for t in query}
        trained.append(frozenset(t.pid for t in train))
    assert trained[0] == {1, 2, 3, 4}
    assert len(set(trained)) > 3


def test_ilids_vid_first_half_of_ls_set_is_the_test_half(sets: dict[str, Rendered]) -> None:
    rows = loadmat(sets["ilids-vid"].folder / "train-test people splits/train_test_splits_ilidsvid.mat")["ls_set"]
    assert rows.shape == (10, 8)
    assert set(rows[0, 4:].tolist()) == {1, 2, 3, 4}


def test_ls_vid_queries_are_matlab73_and_in_the_gallery_too(indices: dict[str, Index], sets: dict[str, Rendered]) -> None:
    index, path = indices["ls-vid"], sets["ls-vid"].folder / "test/data/info_test.mat"
    assert path.read_bytes()[:10] == b"MATLAB 7.3"
    with h5py.File(path) as file:
        rows = np.array(file["query"])[0, :]  # as public test code reads it
    lines = (sets["ls-vid"].folder / "list_sequence/list_seq_test.txt").read_text().splitlines()
    named = {lines[int(row) - 1].split()[0].rpartition("/")[2] for row in rows}
    assert named == {t.tracklet_id for t in index.tracklets("query")}
    assert named <= {t.tracklet_id for t in index.tracklets("gallery")}


def test_ls_vid_holds_fifteen_cameras_and_strangers(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"cameras": 15, "cameras_per_person": (14, 15), "junk": 1, "distractors": 2, "truth": False})
    made = render_dataset(spec, tmp_path / "set", layout="ls-vid")
    index = build_index("ls", made.folder, layout="ls-vid", expected=made.counts)
    assert {t.camid for t in index.records.values()} == set(range(15))
    assert sorted(t.pid for t in index.tracklets("gallery") if t.pid < 1) == [-1, 0, 0]


def test_write_matlab73_same_matrix_gives_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_matlab73(tmp_path / name, "query", np.arange(5.0)[None])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_dukemtmc_query_tracklets_are_gallery_too(indices: dict[str, Index], sets: dict[str, Rendered]) -> None:
    index = indices["dukemtmc-videoreid"]
    assert {t.tracklet_id for t in index.tracklets("query")} < {
        t.tracklet_id for t in index.tracklets("gallery")
    } or SPEC.cameras == 2
    assert all(t.frames[0].startswith("gallery/") for t in index.tracklets("query"))
    assert (sets["dukemtmc-videoreid"].folder / index.tracklets("query")[0].frames[0].replace("gallery", "query")).is_file()


def test_dukemtmc_strangers_keep_their_pids(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"junk": 1, "distractors": 2, "truth": False})
    made = render_dataset(spec, tmp_path / "set", layout="dukemtmc-videoreid")
    gallery = build_index("duke", made.folder, layout="dukemtmc-videoreid", expected=made.counts).tracklets("gallery")
    assert sorted(t.pid for t in gallery if t.pid < 1) == [-1, 0, 0]


@pytest.mark.parametrize(
    ("layout", "values", "message"),
    [
        ("mars", {"cameras": 12}, "layout mars: .*: cameras; expected at most 9, got 12. Change cameras, or take another layout"),
        ("dukemtmc-videoreid", {"cameras": 12}, "cameras; expected at most 9, got 12"),
        ("dukemtmc-videoreid", {"junk": 100}, "tracklets of one pid in one camera; expected at most 99, got 100"),
        ("ls-vid", {"junk": 100}, "tracklets of one pid in one camera; expected at most 99, got 100"),
        ("ls-vid", {"train_persons": 9999}, "layout ls-vid: .*persons; expected at most 9999, got 10003"),
        ("ilids-vid", {"cameras": 3}, "cameras; expected 2, got 3"),
        ("prid-2011", {"tracklets_per_camera": (1, 2)}, r"tracklets_per_camera; expected \[1, 1\], got \[1, 2\]"),
        ("prid-2011", {"train_persons": 6}, "train_persons; expected 4, as test_persons, got 6"),
        ("ilids-vid", {"train_persons": 600, "test_persons": 600}, "persons; expected at most 999, got 1200"),
        ("ilids-vid", {"junk": 1}, "junk; expected 0, got 1"),
    ],
)
def test_layout_set_that_it_cannot_hold_is_refused(layout: str, values: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        render_dataset(SPEC.model_copy(update=values), tmp_path / "set", layout=layout)
    assert not (tmp_path / "set").exists()
