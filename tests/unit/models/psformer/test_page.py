"""docs/methods/psformer.md says what the benchmarks measured, and that is of the suite and of the goals as they are."""

import json
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.synthetic import RENDERER_REVISION

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs/methods/psformer.md").read_text()
WAYS = ("colour histogram", "first stage", "both stages")
METRICS = ("map", "rank1")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    result: dict[str, Any] = json.loads((ROOT / "benchmarks/psformer_synthetic.json").read_text())
    return result


def test_page_holds_the_scores(found: dict[str, Any]) -> None:
    for world in found["worlds"]:
        cells = [f"{100 * world['scores'][way][metric]:.1f}" for way in WAYS for metric in METRICS]
        assert f"| {world['seed']} | {' | '.join(cells)} |" in PAGE


def test_page_holds_the_ious(found: dict[str, Any]) -> None:
    grids = found["worlds"][0]["iou"]
    for way in grids["16x8"]:
        cells = [f"{100 * mean(world['iou'][grid][way] for world in found['worlds']):.1f}" for grid in grids]
        assert f"| {way} | {' | '.join(cells)} |" in PAGE


def test_page_holds_the_gates_errors(found: dict[str, Any]) -> None:
    for when in ("untrained", "trained"):
        rows = [world["gate"][when] for world in found["worlds"]]
        average = {key: mean(row[key] for row in rows) for key in rows[0]}
        cells = [f"{average[key]:.2f}" for key in ("correlation", "rising", "clean", "noise")]
        shares = [f"{100 * average[key]:.0f} %" for key in ("kept", "opened")]
        assert f"| {when} | {' | '.join(cells + shares)} |" in PAGE


def test_figures_are_of_this_suite_and_of_worlds_of_their_own(found: dict[str, Any]) -> None:
    catalog = load_catalog(ROOT, suite="synthetic-small")
    declared = catalog.datasets["small-mars"]
    assert isinstance(declared, SyntheticDataSet)
    assert found["renderer_revision"] == RENDERER_REVISION
    assert found["spec"] == declared.spec.model_dump(mode="json", exclude={"seed", "truth"})
    assert found["settings"] == catalog.resolve("psformer/psformer-b").model_dump(mode="json")
    seeds = {world["seed"] for world in found["worlds"]}
    assert len(seeds) >= 2
    assert not seeds & {d.spec.seed for d in catalog.datasets.values() if isinstance(d, SyntheticDataSet)}


@pytest.mark.parametrize("metric", METRICS)
def test_both_stages_beat_the_histogram_by_the_stated_margin(found: dict[str, Any], metric: str) -> None:
    for world in found["worlds"]:
        scores = {way: world["scores"][way][metric] for way in WAYS}
        assert scores["both stages"] >= scores["colour histogram"] + found["margin"]


def test_the_gates_error_grows_with_noise_after_training(found: dict[str, Any]) -> None:
    for world in found["worlds"]:
        assert world["gate"]["trained"]["correlation"] > world["gate"]["untrained"]["correlation"] + 0.1


def test_page_holds_the_times_of_the_benchmark_and_they_meet_the_goals() -> None:
    results = json.loads((ROOT / "benchmarks" / "psformer.json").read_text())
    (row,) = results["batches"]
    for name, label in (("vit-b", "ViT-B"), ("resnet50", "ResNet-50"), ("psformer-b", "PSFormer-B")):
        assert f"| {label} | {row['ms_per_clip'][name]['cpu_ms']:,.0f} |" in PAGE
    for name, label in (("vit-b", "ViT-B"), ("psformer-b", "PSFormer-B")):
        assert f"| training step: {label} | {row['training_step_ms'][name]['cpu_ms']:,.0f} |" in PAGE
    ratios = row["ratios"]
    for name in ("vit-b over psformer-b", "vit-b over psformer-b, training step"):
        assert f"| {ratios[name]:.1f} times as long |" in PAGE
    assert row["psformer-b"]["gmacs"] >= 23.0
    assert ratios["vit-b over psformer-b"] >= 3.5
    assert ratios["resnet50 over psformer-b"] >= 1
