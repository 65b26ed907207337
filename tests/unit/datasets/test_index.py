from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reproid.datasets.index import COUNT_NAMES, Assignment, Index, Tracklet, load_index, write_index
from reproid.errors import InputError


def _tracklet(name: str, pid: int, camid: int, n: int) -> Tracklet:
    return Tracklet(
        tracklet_id=name, pid=pid, camid=camid, frames=tuple(f"{name}/{k}.jpg" for k in range(n)), width=32, height=64
    )


RECORDS = (
    _tracklet("a", 1, 0, 3),
    _tracklet("b", 2, 0, 4),
    _tracklet("c", 2, 1, 5),
    _tracklet("j", -1, 1, 2),
    _tracklet("d", 0, 1, 2),
)
ROLES = (("a", "train"), ("b", "query"), ("b", "gallery"), ("c", "gallery"), ("j", "gallery"), ("d", "gallery"))


@pytest.fixture
def index() -> Index:
    return Index(
        dataset="toy",
        subsets={t.tracklet_id: "train" if t.tracklet_id == "a" else "test" for t in RECORDS},
        records={t.tracklet_id: t for t in RECORDS},
        assignments=tuple(Assignment(split="official", tracklet_id=name, role=role) for name, role in ROLES),  # type: ignore[arg-type]
    )


def test_load_index_returns_what_was_written(index: Index, tmp_path: Path) -> None:
    write_index(index, tmp_path)
    assert load_index(tmp_path) == index


def test_write_index_columns_are_those_of_the_interface(index: Index, tmp_path: Path) -> None:
    write_index(index, tmp_path)
    schema = pq.read_schema(tmp_path / "tracklets.parquet")
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "dataset": "string", "tracklet_id": "string", "pid": "int32", "camid": "int16", "subset": "string",
        "frames": "list<element: string>", "n_frames": "int32", "width": "int16", "height": "int16",
    }  # fmt: skip
    assert pq.read_schema(tmp_path / "splits.parquet").names == ["dataset", "split", "tracklet_id", "role"]


def test_write_index_same_index_gives_same_bytes(index: Index, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_index(index, tmp_path / name)
    for file in ("tracklets.parquet", "splits.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_tracklets_of_a_role_keep_the_order(index: Index) -> None:
    assert [t.tracklet_id for t in index.tracklets("gallery")] == ["b", "c", "j", "d"]
    assert index.tracklets("query") == (RECORDS[1],)


def test_tracklets_unknown_split_names_the_known_ones(index: Index) -> None:
    with pytest.raises(InputError, match="unknown split; expected one of: official, got 'split-3'"):
        index.tracklets("train", "split-3")


def test_tracklets_unknown_role_names_the_known_ones(index: Index) -> None:
    with pytest.raises(InputError, match=r"unknown role; .*got 'galery'. Did you mean 'gallery'\?"):
        index.tracklets("galery")  # type: ignore[arg-type]


def test_counts_of_the_toy_set(index: Index) -> None:
    assert index.counts() == dict(zip(COUNT_NAMES, (1, 1, 3, 3, 4, 13, 1, 4, 1, 1, 1, 3, 4, 5, 16), strict=True))


def test_load_index_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tracklets.parquet: file not found. Make the index with: reproid data index"):
        load_index(tmp_path)


def test_load_index_broken_file_is_named(index: Index, tmp_path: Path) -> None:
    write_index(index, tmp_path)
    (tmp_path / "splits.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"splits.parquet: not a Parquet file"):
        load_index(tmp_path)


def test_load_index_missing_column_is_named(index: Index, tmp_path: Path) -> None:
    write_index(index, tmp_path)
    pq.write_table(pa.table({"dataset": ["toy"]}), tmp_path / "splits.parquet")
    with pytest.raises(InputError, match="expected dataset, split, tracklet_id, role, got dataset"):
        load_index(tmp_path)


def test_load_index_files_of_two_sets_do_not_fit(index: Index, tmp_path: Path) -> None:
    write_index(index, tmp_path)
    table = pq.read_table(tmp_path / "tracklets.parquet")
    pq.write_table(table.slice(1), tmp_path / "tracklets.parquet")
    with pytest.raises(InputError, match="do not fit; .*got 1 unknown, the first: a"):
        load_index(tmp_path)
