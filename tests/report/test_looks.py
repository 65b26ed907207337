"""Protocol comparison, rankings to look at, chance level and the badge of other code, from files to pages."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image

from report.made import Made
from report.pages import broken_links, parse
from report.scored import score
from reproid.catalog.datasets import folder_of, index_of
from reproid.catalog.plan import PlannedMetrics
from reproid.catalog.protocols import family_of
from reproid.cli import cli
from reproid.code_hash import code_sha256
from reproid.errors import InputError
from reproid.files import read_json
from reproid.report.families import compared_protocols
from reproid.report.model import load_report
from reproid.report.site import write_report
from reproid.retrieval.family import SHOWN


def pages(made: Made, suite: str = "demo", frames_of: tuple[str, ...] = ()) -> Path:
    write_report(made.catalog(suite), made.read(), made.root / "reports", frames_of=frames_of)
    assert broken_links(made.root / "reports") == []
    return made.root / "reports"


def text(path: Path) -> str:
    return parse(path).text


@pytest.fixture
def entry(made: Made) -> PlannedMetrics:
    found = made.entries("demo", "map")[0]
    score(made, found)
    return found


def give_frames(made: Made, entry: PlannedMetrics, *, folder: Path) -> None:
    """Write an index with one frame per tracklet, and the frames."""
    ids = np.load(made.results / entry.run.folder / "embeddings" / "dense.npz")["tracklet_ids"].tolist()
    index = made.root / index_of(entry.run.dataset, made.catalog("paper").datasets[entry.run.dataset], Path())
    index.mkdir(parents=True)
    pq.write_table(pa.table({"tracklet_id": ids, "frames": [[f"{name}.png"] for name in ids]}), index / "tracklets.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ids:
        Image.new("RGB", (32, 64), (200, 30, 30)).save(folder / f"{name}.png")


def test_protocols_page_compares_the_same_embeddings_under_the_whole_family(made: Made, entry: PlannedMetrics) -> None:
    file = read_json(made.results / entry.run.folder / "families" / "mars-standard.json")
    (comparison,) = compared_protocols(load_report(made.catalog(), made.read()))
    assert [row.protocol.name for row in comparison.rows] == [protocol.name for protocol in family_of("mars-standard")]
    for row, kept in zip(comparison.rows, file["protocols"], strict=True):
        assert set(kept) == set(SHOWN)
        assert row.values["map"] == pytest.approx(100 * kept["map"], abs=1e-6)
        assert row.differences["map"] == pytest.approx(100 * (kept["map"] - file["protocols"][0]["map"]), abs=1e-6)
    out = pages(made)
    for page in (out / "protocols.html", out / "runs" / f"{entry.run.run_id}.html"):
        assert all(f'<data value="{row.values["map"]!r}">' in page.read_text() for row in comparison.rows)
        assert "points of it are the protocol alone. Made on synthetic people" in text(page)


def test_comparison_averages_splits_before_seeds_and_names_what_is_not_scored(made: Made) -> None:
    (made.root / "data/raw/ilids-vid").mkdir(parents=True)
    values = {}
    for planned in made.entries("paper", "rank1"):
        made.score(planned)
        split, seed = int(planned.run.split.removeprefix("split-")), planned.run.seed
        values[split, seed] = 0.3 + 0.01 * split + 0.05 * seed
        counts = {"queries": 150, "scored": 150, "gallery": 150}
        row = {"counts": counts, "map": values[split, seed], "rank1": 0.5, "minp": 0.5}
        names = ["ilids-mean10", "ilids-split0"][: 1 if split else 2]
        content = {"schema": 1, "family": "ilids-mean10", "skipped": [{"protocol": "of another kind", "reason": "it is"}]}
        content["protocols"] = [row | {"protocol": {"name": name, "revision": 1}} for name in names]
        made.write(f"{planned.run.folder}/families/{planned.protocol}.json", content)
    (comparison,) = compared_protocols(load_report(made.catalog("paper"), made.read()))
    mean10, split0 = comparison.rows
    assert mean10.values["map"] == pytest.approx(100 * np.mean(list(values.values())), abs=1e-6)
    assert split0.values["map"] == pytest.approx(100 * np.mean([values[0, seed] for seed in (0, 1, 2)]), abs=1e-6)
    assert ((mean10.splits, mean10.seeds), (split0.splits, split0.seeds)) == ((10, 3), (1, 3))
    assert split0.differences["map"] == pytest.approx(-4.5, abs=1e-6)
    found = text(pages(made, "paper") / "protocols.html")
    assert "Not scored: of another kind: it is" in found
    assert "3 seeds, 10 splits each" in found


def test_comparison_leaves_out_a_protocol_of_another_revision_and_unreadable_files(made: Made, entry: PlannedMetrics) -> None:
    path = made.results / entry.run.folder / "families" / "mars-standard.json"
    content = read_json(path)
    content["protocols"][3]["protocol"]["revision"] = 99
    path.write_text(json.dumps(content))
    (comparison,) = compared_protocols(load_report(made.catalog(), made.read()))
    assert len(comparison.rows) == len(content["protocols"]) - 1
    path.write_text("{")
    assert "No run has been scored under several protocols yet." in text(pages(made) / "protocols.html")


def test_rankings_page_shows_right_and_wrong_places_in_pictures_of_rendered_data(made: Made, entry: PlannedMetrics) -> None:
    name = entry.run.dataset
    give_frames(made, entry, folder=folder_of(name, made.catalog().datasets[name], made.root))
    out = pages(made)
    html = (out / "runs" / f"{entry.run.run_id}-rankings.html").read_text()
    file = read_json(made.results / entry.run.folder / "inspection" / "mars-standard.json")
    galleries = [*file["drawn"], *file["hardest"]]
    places = [place for gallery in galleries for place in gallery["places"]]
    assert html.count('<figure class="query">') == len(galleries) == 20
    assert html.count('<figure class="right">') == sum(place["correct"] for place in places) > 0
    assert html.count('<figure class="wrong">') == sum(not place["correct"] for place in places) > 0
    assert html.count("data:image/jpeg;base64,") == len(galleries) + len(places)
    assert file["hardest"][0]["query_id"] in html.partition("The hardest queries")[2].partition("</h3>")[0]
    assert "Share of pairs by distance" in html
    for row in file["camera_pairs"]["rank1"]:
        assert all(value is None or f'<data value="{round(100 * value, 6)!r}">' in html for value in row)
    assert f"{entry.run.run_id}-rankings.html" in parse(out / "runs" / f"{entry.run.run_id}.html").links


def test_rankings_page_of_real_data_shows_frames_only_where_the_user_says_so(made: Made) -> None:
    data = made.root / "data/raw/mars"
    data.mkdir(parents=True)
    entry = made.entries("paper", "map")[0]
    score(made, entry)
    give_frames(made, entry, folder=data)
    page = f"runs/{entry.run.run_id}-rankings.html"
    hidden = (pages(made, "paper") / page).read_text()
    assert "data:image" not in hidden
    assert "must not be published, so this page shows none: reproid report --frames-of mars does." in hidden
    assert '<figure class="wrong">' in hidden
    assert "--data" not in text(made.root / "reports" / "runs" / f"{entry.run.run_id}.html")
    assert "data:image/jpeg" in (pages(made, "paper", frames_of=("mars",)) / page).read_text()
    with pytest.raises(InputError, match=r"unknown data set; .*got 'marz'\. Did you mean 'mars'\?"):
        pages(made, "paper", frames_of=("marz",))


def test_report_for_publication_drops_pictures_of_restricted_sets_whatever_is_asked(made: Made) -> None:
    data = made.root / "data/raw/mars"
    data.mkdir(parents=True)
    entry = made.entries("paper", "map")[0]
    score(made, entry)
    give_frames(made, entry, folder=data)
    page = Path("pages/runs") / f"{entry.run.run_id}-rankings.html"
    arguments = ["report", "--suite", "paper", "--out", "pages", "--frames-of", "mars"]
    CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert "data:image/jpeg" in page.read_text()
    assert Path("pages/assets/frames-of.txt").read_text() == "mars\n"
    result = CliRunner().invoke(cli, [*arguments, "--public"], catch_exceptions=False)
    assert "pictures of mars are left out" in result.output
    assert "data:image" not in page.read_text()
    assert not Path("pages/assets/frames-of.txt").exists()


def test_rankings_page_without_frames_on_this_machine_says_so(made: Made, entry: PlannedMetrics) -> None:
    found = text(pages(made) / "runs" / f"{entry.run.run_id}-rankings.html")
    assert "are not on the machine that made this page" in found


def test_rankings_page_is_left_out_where_the_file_is_damaged(made: Made, entry: PlannedMetrics) -> None:
    path = made.results / entry.run.folder / "inspection" / "mars-standard.json"
    content = read_json(path)
    content["distances"]["edges"].pop()
    path.write_text(json.dumps(content))
    assert not (pages(made) / "runs" / f"{entry.run.run_id}-rankings.html").exists()


def test_run_page_shows_the_chance_level_and_how_to_compare(made: Made, entry: PlannedMetrics) -> None:
    other = made.entries("demo", "map", table="controls/table-1")[0]
    score(made, other)
    found = text(pages(made) / "runs" / f"{entry.run.run_id}.html")
    chance = read_json(made.results / entry.path)["chance"]
    assert "Random ranking" in found
    assert f"{100 * chance['map']:.1f}" in found
    command = f"reproid compare results/{other.run.folder} results/{entry.run.folder} --protocol mars-standard"
    assert f"{command} --out compare.html --index results/index/demo-mars/" in found


@pytest.mark.parametrize("same", [True, False], ids=["same code", "other code"])
def test_run_made_with_other_code_has_a_badge_on_its_page_and_in_lists(made: Made, entry: PlannedMetrics, same: bool) -> None:
    path = f"{entry.run.folder}/manifest.json"
    digest = code_sha256(entry.run.settings.method) if same else "0" * 64
    made.write(path, {**read_json(made.results / path), "code_sha256": digest})
    out = pages(made)
    for page in (out / "runs" / f"{entry.run.run_id}.html", out / "index.html"):
        assert ("other code" in text(page)) is not same
