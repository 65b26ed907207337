"""The cards of the data sets: what each must say, and that its numbers are the declared and the counted ones."""

import json
import re
from pathlib import Path

import pytest
from scipy.io import loadmat

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import RealDataSet

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared/metadata/mars"
SETS = {name: declared for name, declared in load_catalog(ROOT).datasets.items() if isinstance(declared, RealDataSet)}
PARTS = (
    "Source",
    "Licence",
    "How to get it",
    "Consent and withdrawal",
    "What may be published",
    "Counts",
    "Known defects",
    "Sources",
)


def card(name: str) -> str:
    return " ".join((ROOT / f"docs/datasets/{name}.md").read_text().split())


@pytest.mark.parametrize("name", SETS)
def test_card_has_every_part_and_every_declared_count(name: str) -> None:
    text = card(name)
    assert [part for part in PARTS if f"**{part}" not in text] == []
    counts = {**SETS[name].counts, **SETS[name].reported}
    assert [f"{key} {n:,}" for key, n in counts.items() if not re.search(rf"(?<![\d,]){n:,}(?![\d,]*\d)", text)] == []
    overview = (ROOT / "docs/datasets/README.md").read_text()
    assert f"[{SETS[name].title}]({name}.md)" in overview


@pytest.mark.parametrize("name", SETS)
def test_card_names_its_sources_and_says_what_was_not_verified(name: str) -> None:
    text = card(name)
    body, _, sources = text.partition("**Sources.**")
    listed, cited = (set(re.findall(r"\[(\d)\](?!\()", part)) for part in (sources, body))
    assert listed == cited
    assert "not verified live" in sources.lower()
    assert "://" not in text, "addresses stand in datasets.yaml alone"


def test_card_of_the_withdrawn_set_links_nothing() -> None:
    assert SETS["dukemtmc-videoreid"].status == "withdrawn"
    assert not re.search(r"https?:|www\.|\]\(", card("dukemtmc-videoreid"))
    assert SETS["dukemtmc-videoreid"].obtain.archives == ()
    assert SETS["dukemtmc-videoreid"].obtain.page == "none"


def test_card_of_mars_holds_the_benchmark_of_its_index() -> None:
    found = json.loads((ROOT / "benchmarks/mars_index.json").read_text())
    said = f"{found['images']:,} images are indexed in {found['wall_s']} s ({found['cpu_s']} s of CPU time)"
    assert f"{said}, with {found['memory_mb']} MB of memory" in card("mars")
    assert found["images"] == SETS["mars"].counts["train_frames"] + SETS["mars"].counts["test_frames"]
    assert found["wall_s"] < found["goal"]["wall_s"] == 60
    assert found["memory_mb"] < found["goal"]["memory_mb"] == 1024
    assert found["machine"]["cores"] == 2


@pytest.mark.skipif(not REAL.is_dir(), reason="the real MATLAB files of MARS are not beside this clone (../shared/metadata/mars)")
def test_card_of_mars_counts_the_queries_without_a_match() -> None:
    rows = loadmat(REAL / "tracks_test_info.mat")["track_test_info"].astype(int)
    queries = loadmat(REAL / "query_IDX.mat")["query_IDX"].astype(int).ravel() - 1
    labels = [(int(pid), int(camera)) for pid, camera in rows[:, 2:]]
    left = [labels[k] for k in set(range(len(labels))) - set(queries.tolist()) if labels[k][0] != -1]
    persons, cameras = (
        {pid for pid, _ in left},
        {pid: {c for p, c in left if p == pid} for pid in {labels[k][0] for k in queries}},
    )
    none = [k for k in queries if labels[k][0] not in persons]
    same = [k for k in queries if cameras[labels[k][0]] == {labels[k][1]}]
    assert (len(left), len(none), len(same)) == (9330, 28, 112)
    assert f"{len(none) + len(same)} queries are left without a match: {len(none)} have no" in card("mars")
    assert f"at all, {len(same)} only ones" in card("mars")
