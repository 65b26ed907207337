import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.evaluation import evaluate
from reproid.retrieval.inputs import check_made_with, read_distances, read_embeddings


def test_read_embeddings_good_file_returns_its_labels(embedding_file, embedding_arrays) -> None:
    file = read_embeddings(embedding_file)
    assert file.embeddings.tolist() == embedding_arrays["embeddings"].tolist()
    assert file.tracklets.pids.tolist() == embedding_arrays["pids"].tolist()
    assert (file.made.sampling, file.made.pooling, file.made.frames_per_clip, file.made.split) == ("dense", "mean", 8, None)


def test_embedding_file_sides_follow_the_gallery_rule(tmp_path, embedding_arrays) -> None:
    embedding_arrays["is_gallery"] = ~embedding_arrays["is_query"]
    np.savez(tmp_path / "e.npz", **embedding_arrays)
    file = read_embeddings(tmp_path / "e.npz")
    assert len(file.sides(get_protocol("mars-standard"))[1]) == 120
    assert len(file.sides(get_protocol("duke-standard"))[1]) == 80


def _nan_row(arrays):
    arrays["embeddings"][7, 2] = np.nan
    return arrays


EMBEDDING_MISTAKES = {
    "missing": (lambda a: {k: v for k, v in a.items() if k != "camids"}, "array 'camids' is missing; got .*tracklet_ids"),
    "missing pooling": (lambda a: {k: v for k, v in a.items() if k != "pooling"}, "array 'pooling' is missing"),
    "short": (lambda a: a | {"pids": a["pids"][:-1]}, r"array pids: wrong shape; expected \(120,\), got \(119,\)"),
    "flat": (lambda a: a | {"embeddings": a["embeddings"][0]}, r"array embeddings: wrong shape; .*2 dimensions.*got \(16,\)"),
    "empty": (lambda a: a | {"embeddings": a["embeddings"][:0]}, r"array embeddings: wrong shape; .*none empty, got \(0, 16\)"),
    "float pids": (lambda a: a | {"pids": a["pids"] + 0.5}, "array pids: wrong type; expected whole numbers, got float64"),
    "integer flags": (lambda a: a | {"is_query": a["pids"]}, "array is_query: wrong type; expected true or false, got int32"),
    "NaN": (_nan_row, "array embeddings, row 7: embeddings must be finite; got nan"),
    "too large": (
        lambda a: a | {"embeddings": a["embeddings"].astype(np.float64) * 1e300},
        "array embeddings, row 0: embeddings must be finite; got -?inf",
    ),
    "text frames": (lambda a: a | {"frames_per_clip": np.array("8")}, "array frames_per_clip: .*whole numbers, got <U1"),
}  # fmt: skip


@pytest.mark.parametrize("case", EMBEDDING_MISTAKES, ids=str)
def test_read_embeddings_mistake_names_file_and_array(tmp_path, embedding_arrays, case) -> None:
    change, message = EMBEDDING_MISTAKES[case]
    np.savez(tmp_path / "bad.npz", **change(embedding_arrays))
    with pytest.raises(InputError, match=rf"^\S*bad\.npz.*{message}"):
        read_embeddings(tmp_path / "bad.npz")


def _truncate(path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _set_encrypted(path) -> None:
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    path.write_bytes(data)


def _flip_bytes(path) -> None:
    data = bytearray(path.read_bytes())
    data[3000:3040] = bytes(40)
    path.write_bytes(data)


DAMAGE = {
    "truncated": (_truncate, "cannot be read: it is damaged"),
    "encrypted": (_set_encrypted, "cannot be read: it is damaged"),
    "flipped": (_flip_bytes, "cannot be read: it is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read: it is damaged"),
    "text": (lambda path: path.write_text("hello"), "cannot be read"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
    "single array": (lambda path: np.save(path.open("wb"), np.ones(3)), "one array, not a .npz file"),
    "objects": (lambda path: np.savez(path, embeddings=np.array([{}], object)), "cannot be read: it holds Python objects"),
    "missing": (lambda path: path.unlink(), "file not found"),
}


@pytest.mark.parametrize("read", [read_embeddings, read_distances], ids=["embeddings", "distances"])
@pytest.mark.parametrize("case", DAMAGE, ids=str)
def test_read_damaged_file_is_one_line(embedding_file, case, read) -> None:
    harm, message = DAMAGE[case]
    harm(embedding_file)
    with pytest.raises(InputError, match=rf"dense\.npz: {message}") as caught:
        read(embedding_file)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("small") / "small.npz"
    np.savez(path, distances=np.eye(2), q_pids=[1, 2], g_pids=[1, 2], q_camids=[0, 0], g_camids=[1, 1])
    return path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_read_distances_any_changed_bytes_are_read_or_refused(tmp_path_factory, small_file, data) -> None:
    changed = bytearray(small_file)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    path.write_bytes(changed)
    with contextlib.suppress(InputError):
        read_distances(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a | {"q_pids": a["q_pids"][:-1]}, r"array q_pids: wrong shape; expected \(30,\), got \(29,\)"),
        (lambda a: a | {"g_n_frames": np.ones(3, int)}, r"array g_n_frames: wrong shape; expected \(80,\), got \(3,\)"),
        (lambda a: {k: v for k, v in a.items() if k != "distances"}, "array 'distances' is missing"),
        (
            lambda a: a | {"distances": a["distances"].astype(int)},
            "array distances: wrong type; expected floating-point numbers, got int64",
        ),
    ],
    ids=["short", "lengths", "missing", "integers"],
)
def test_read_distances_mistake_names_array(tmp_path, distance_arrays, change, message) -> None:
    np.savez(tmp_path / "bad.npz", **change(distance_arrays))
    with pytest.raises(InputError, match=message):
        read_distances(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("name", "demanded", "got"),
    [
        ("sampling", "dense", "strided"),
        ("pooling", "mean", "max"),
        ("frames_per_clip", 4, 8),
        ("distance", "cosine", "euclidean"),
    ],
)
def test_check_made_with_other_than_demanded_is_refused(embedding_file, name, demanded, got) -> None:
    protocol = get_protocol("mars-standard").model_copy(update={"name": "p", name: demanded})
    made = replace(read_embeddings(embedding_file).made, **{name: got})
    message = f"made with another {name} than protocol p demands; expected {demanded}, got {got}"
    with pytest.raises(InputError, match=rf"f\.npz: {message}"):
        check_made_with(made, protocol, where="f.npz")
    check_made_with(replace(made, **{name: demanded}), protocol, where="f.npz")


def test_distances_zero_vector_under_cosine_names_row(tmp_path, embedding_arrays) -> None:
    embedding_arrays["embeddings"][11] = 0
    np.savez(tmp_path / "e.npz", **embedding_arrays)
    file = read_embeddings(tmp_path / "e.npz")
    with pytest.raises(InputError, match="array embeddings, row 11: the cosine distance of a zero vector is undefined"):
        evaluate(file, get_protocol("mars-standard"))
    assert evaluate(file, get_protocol("mars-standard-euclidean")).map > 0
