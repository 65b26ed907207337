"""docs/synthetic.md says what the benchmarks measured, and what they measured is what the world promises."""

import json
from pathlib import Path
from typing import Any

import pytest

from reproid.catalog.synthetic import RENDERER_REVISION

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/synthetic.md").read_text()
METRICS = ("map", "rank1")


@pytest.fixture(scope="module")
def difficulty() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks/difficulty.json").read_text())
    return found


def test_difficulty_page_holds_the_benchmarks_rows(difficulty: dict[str, Any]) -> None:
    for name, row in difficulty["rows"].items():
        cells = [
            f"{100 * row[m]['mean']:.1f} ± {100 * row[m]['sd']:.1f} | {100 * row[m]['least']:.1f} to {100 * row[m]['most']:.1f}"
            for m in METRICS
        ]
        assert f"| {name} | {' | '.join(cells)} |" in PAGE


def test_difficulty_is_of_this_renderer_and_ten_worlds(difficulty: dict[str, Any]) -> None:
    assert difficulty["renderer_revision"] == RENDERER_REVISION
    assert len({world["seed"] for world in difficulty["worlds"]}) == 10


@pytest.mark.parametrize("metric", METRICS)
def test_difficulty_is_what_the_world_promises(difficulty: dict[str, Any], metric: str) -> None:
    rows = {name: row[metric] for name, row in difficulty["rows"].items()}
    assert rows["oracle"]["least"] == 1.0
    assert rows["untrained ResNet-50"]["mean"] < 2 * rows["chance"]["mean"]
    assert rows["colour histogram"]["mean"] > 3 * rows["chance"]["mean"]
    assert rows["colour histogram"]["least"] > 2 * rows["chance"]["mean"]
    assert rows["trained ResNet-50"]["mean"] > 2 * rows["colour histogram"]["mean"]
    assert rows["trained ResNet-50"]["most"] < 0.6
    for world in difficulty["worlds"]:
        assert world[metric]["trained ResNet-50"] > world[metric]["colour histogram"]


def test_rate_page_holds_the_benchmarks_figures() -> None:
    found = json.loads((ROOT / "benchmarks/synthetic.json").read_text())
    assert found["renderer_revision"] == RENDERER_REVISION
    rates = {(size["height"], size["width"], size["truth"]): size["frames_per_cpu_s"] for size in found["sizes"]}
    for height, width in {size[:2] for size in rates}:
        assert f"| {height} x {width} | {rates[height, width, False]:,.0f} | {rates[height, width, True]:,.0f} |" in PAGE
    assert rates[256, 128, False] >= found["goal_frames_per_s"]
