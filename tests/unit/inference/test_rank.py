"""Rankings of any footage by a run or a control: who is looked for, the page, the table, and every mistake by its message."""

import csv
import html
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reproid.datasets.index import Assignment, Index, Tracklet, load_index, write_index
from reproid.errors import InputError
from reproid.files import read_json, write_json
from reproid.inference.rank import RankJob, Sides, choose_sides, rank, rank_descriptors, rank_protocol
from reproid.inference.rank_page import HEAD
from reproid.training.run import TrainJob, train_run
from support.tracklets import Places, small_run, write_tracklets

MARKUP = "<script>alert(1)</script>&'\""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture
def job(places: Places, tmp_path: Path) -> RankJob:
    return RankJob(index=places.index, data=places.data, out=tmp_path / "rank.html", control="oracle", workers=0)


def rows_of(job: RankJob) -> list[dict[str, str]]:
    with job.out.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kinds(page: str) -> list[str]:
    return re.findall(r'<figure class="(\w+)">', page)


def track(name: str, *, pid: int = 1, camid: int = 0, frames: int = 4) -> Tracklet:
    return Tracklet(
        tracklet_id=name, pid=pid, camid=camid, frames=tuple(f"{name}{i}.png" for i in range(frames)), width=4, height=8
    )


def index_with(*tracklets: Tracklet, query: bool = True) -> Index:
    roles = ("query", "gallery") if query else ("gallery",)
    return Index(
        dataset="mine",
        subsets={t.tracklet_id: "test" for t in tracklets},
        records={t.tracklet_id: t for t in tracklets},
        assignments=tuple(Assignment(split="official", tracklet_id=t.tracklet_id, role=r) for t in tracklets for r in roles),  # type: ignore[arg-type]
    )


def test_rank_oracle_is_right_everywhere_and_leaves_the_same_camera_out(job: RankJob) -> None:
    evaluation = rank(job).evaluation
    rows, page = rows_of(job), job.out.read_text()
    assert (evaluation.map, evaluation.rank(1)) == (1.0, 1.0)
    assert tuple(rows[0]) == HEAD
    assert {(row["query"], row["rank"]) for row in rows} == {(f"p{pid}c0t0", str(k)) for pid in (5, 6) for k in range(1, 7)}
    assert [row["correct"] for row in rows] == (["yes"] * 2 + ["no"] * 4) * 2
    assert not [row for row in rows if row["query_pid"] == row["gallery_pid"] and row["query_camid"] == row["gallery_camid"]]
    assert kinds(page) == (["query"] + ["right"] * 2 + ["wrong"] * 4) * 2
    assert page.count("data:image/jpeg") == len(kinds(page))


def test_rank_random_shows_the_hardest_queries_first_and_no_more_than_asked_for(job: RankJob) -> None:
    ranked = rank(replace(job, control="random", top=3, shown=1))
    hardest = int(np.argmin(ranked.evaluation.queries.ap))
    page = job.out.read_text()
    assert len(kinds(page)) == 4
    assert (
        f"{ranked.rankings.query_ids[hardest]}</figcaption>" in page.partition('class="right"')[0].partition('class="wrong"')[0]
    )
    assert "1 of 2 queries, the hardest first" in page
    assert len(rows_of(job)) == 6


def test_rank_run_of_another_data_set_ranks_these(places: Places, job: RankJob, tmp_path: Path) -> None:
    run = small_run(epochs=1)
    train_run(TrainJob(run=run, index=places.index, data=places.data, out=tmp_path / "run", state=tmp_path / "state", workers=0))
    other = load_index(places.index)
    write_index(replace(other, dataset="footage"), tmp_path / "index")
    ranked = rank(replace(job, run=tmp_path / "run", control=None, index=tmp_path / "index"))
    assert 0 < ranked.evaluation.map <= 1
    assert "Rankings by run run" in job.out.read_text()
    distances = [float(row["distance"]) for row in rows_of(job)[:6]]
    assert distances == sorted(distances)


def test_rank_halves_finds_the_other_half_of_every_track(job: RankJob) -> None:
    ranked = rank(replace(job, control="oracle", halves=True))
    assert ranked.evaluation.rank(1) == 1.0
    assert len(ranked.rankings.query_ids) == 8
    assert all(name.endswith(", first half") for name in ranked.rankings.query_ids)


def test_choose_sides_halves_share_no_frame_and_keep_single_frames_whole(places: Places) -> None:
    index = load_index(places.index)
    first = next(iter(index.tracklets("gallery")))
    single = replace(first, tracklet_id="single", frames=first.frames[:1])
    junk, nobody = replace(first, tracklet_id="junk", pid=-1), replace(first, tracklet_id="nobody", pid=0)
    sides = choose_sides(index_with(first, single, junk, nobody), places.data, halves=True)
    assert [t.tracklet_id for t in sides.queries] == [f"{first.tracklet_id}, first half"]
    assert [t.tracklet_id for t in sides.gallery] == [f"{first.tracklet_id}, second half", "single", "junk", "nobody"]
    assert sides.queries[0].frames + sides.gallery[0].frames == first.frames


def test_choose_sides_second_half_has_the_size_of_its_own_first_frame(tmp_path: Path) -> None:
    whole = track("t")
    for frame, size in zip(whole.frames, ((4, 8), (4, 8), (6, 9), (5, 5)), strict=True):
        Image.new("RGB", size).save(tmp_path / frame)
    second = choose_sides(index_with(whole), tmp_path, halves=True).gallery[0]
    assert (second.width, second.height) == (6, 9)


def test_rank_names_with_markup_are_escaped(job: RankJob, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / MARKUP.replace("/", "")).mkdir(parents=True)
    tracks = []
    for camid in (0, 1):
        frame = f"{MARKUP.replace('/', '')}/{camid}.png"
        Image.new("RGB", (4, 8), (camid * 90, 9, 9)).save(data / frame)
        name = f"{MARKUP}{camid}"
        tracks.append(Tracklet(tracklet_id=name, pid=3, camid=camid, frames=(frame,), width=4, height=8))
    write_index(index_with(*tracks), tmp_path / "index")
    rank(replace(job, index=tmp_path / "index", data=data))
    page = job.out.read_text()
    assert "<script" not in page
    assert html.escape(MARKUP, quote=False)[:30] in page
    assert {row["gallery"] for row in rows_of(job)} == {f"{MARKUP}0", f"{MARKUP}1"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"control": None}, r"give either a run or a control; expected --run or --control, got neither"),
        ({"run": Path("r")}, r"give either a run or a control; .* got both"),
        ({"out": Path("rank.txt")}, r"--out: the page needs a name in \.html; got 'rank\.txt'"),
        ({"any_camera": True}, r"with --any-camera a query would find itself; got 2 on both sides: p5c0t0\. Leave out"),
        ({"control": "orakel"}, r"option 'kind'.* got 'orakel'"),
        ({"index": Path("nowhere")}, r"nowhere/tracklets\.parquet: file not found"),
        ({"control": None, "run": Path("nowhere")}, r"nowhere/run\.json: file not found"),
    ],
    ids=["neither", "both", "name", "itself", "control", "index", "run"],
)
def test_rank_mistake_is_named_and_nothing_written(job: RankJob, changes: dict[str, object], message: str) -> None:
    before = sorted(job.out.parent.rglob("*"))
    with pytest.raises(InputError, match=message):
        rank(replace(job, **changes))  # type: ignore[arg-type]
    assert sorted(job.out.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("halves", "message"),
    [
        (False, r"index of mine: the query is empty; expected tracklets with the role query, got none"),
        (True, r"index of mine: the query is empty; expected tracks of persons with at least 2 frames, got none"),
    ],
    ids=["no role", "nothing to split"],
)
def test_choose_sides_empty_query_is_named(halves: bool, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        choose_sides(index_with(track("a", frames=1), query=False), tmp_path, halves=halves)


@pytest.fixture(scope="module")
def checkpoint(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    job = TrainJob(
        run=small_run(epochs=0), index=places.index, data=places.data, out=folder / "run", state=folder / "state", workers=0
    )
    train_run(job)
    return folder / "run"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda data: data[: len(data) // 2], r"model\.safetensors: "),
        (lambda _: b"\x80\x04\x95pickle", r"model\.safetensors: .*pickle"),
    ],
    ids=["cut off", "a pickle"],
)
def test_rank_bad_checkpoint_is_named(checkpoint: Path, job: RankJob, tmp_path: Path, content, message: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_bytes((checkpoint / "run.json").read_bytes())
    (run / "model.safetensors").write_bytes(content((checkpoint / "model.safetensors").read_bytes()))
    with pytest.raises(InputError, match=message):
        rank(replace(job, control=None, run=run))


def test_rank_checkpoint_of_another_run_is_named(checkpoint: Path, job: RankJob, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_json(run / "run.json", {**read_json(checkpoint / "run.json"), "run_id": "0" * 12})
    (run / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"checkpoint of another run_id; expected 000000000000, got \w{12}"):
        rank(replace(job, control=None, run=run))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), persons=st.integers(1, 6))
def test_rank_descriptors_agrees_with_sorting(seed: int, persons: int) -> None:
    rng = np.random.default_rng(seed)
    queries = tuple(track(f"q{i}", pid=i + 1) for i in range(persons))
    gallery = tuple(track(f"g{i}", pid=i % persons + 1, camid=1 + i % 2) for i in range(3 * persons))
    sides = Sides(queries=queries, gallery=gallery)
    vectors = rng.standard_normal((4 * persons, 5)).astype(np.float32)
    ranked = rank_descriptors(vectors, sides, rank_protocol(sides, halves=False, any_camera=False), top=4, where=Path("x"))
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    distances = 1 - unit[3 * persons :] @ unit[: 3 * persons].T
    for row, found in enumerate(ranked.rankings.gallery_ids):
        assert found == tuple(f"g{i}" for i in np.argsort(distances[row], kind="stable")[:4])


def test_rank_without_torch_until_tracklets_are_described() -> None:
    code = "import sys, reproid.cli.rank, reproid.inference.rank, reproid.inference.rank_page; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
