"""The standing check on the evaluation: what the controls of the finished tiny suite score is known beforehand."""

import importlib.util
import itertools
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from support.project import ROOT, Project


def _load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_controls", ROOT / "tools/check_controls.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _load_tool()


@pytest.fixture
def scored(tiny_done: Project) -> dict[str, tuple[dict[str, Any], Path]]:
    """Metrics of each control of the tiny suite, and their file."""
    return {kind: (json.loads(path.read_text()), path) for kind, path in TOOL.controls(tiny_done.folder)}


def test_controls_of_the_tiny_suite_score_what_they_must(scored: dict[str, tuple[dict[str, Any], Path]]) -> None:
    assert set(scored) == set(TOOL.KINDS)
    for kind, (metrics, path) in scored.items():
        if kind != "histogram":  # eight persons in 32 x 16 pixels are too few for what colour gives
            assert TOOL.check(kind, metrics, *TOOL.counts(path)) == [], kind


def test_chance_in_the_metrics_file_is_the_closed_form(scored: dict[str, tuple[dict[str, Any], Path]]) -> None:
    for metrics, path in scored.values():
        positives, negatives = TOOL.counts(path)
        assert len(positives) == metrics["counts"]["scored"]
        assert metrics["chance"]["rank1"] == pytest.approx(TOOL.expected_rank1(positives, negatives))
        assert metrics["chance"]["map"] == pytest.approx(TOOL.expected_map(positives, negatives))


def test_controls_appear_on_the_page(tiny_done: Project) -> None:
    page = (tiny_done.folder / "reports/papers/controls.html").read_text()
    assert all(label in page for label in ("random", "camera alone", "mean colour histogram", "oracle", "100.0"))


@pytest.mark.parametrize(
    ("kind", "as_if", "message"),
    [
        ("camera", "oracle", "map is 0.*, not 1"),
        ("oracle", "random", "rank1 is 1.0000, outside what chance gives, .* to 0."),
        ("oracle", "camera", "rank1 is 1.0000, not below chance"),
        ("camera", "histogram", "rank1 is 0.0000, not above chance"),
    ],
)
def test_check_wrong_scores_are_named(
    scored: dict[str, tuple[dict[str, Any], Path]], kind: str, as_if: str, message: str
) -> None:
    metrics, path = scored[kind]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("; ".join(TOOL.check(as_if, metrics, *TOOL.counts(path))))


@pytest.mark.parametrize(("positives", "negatives"), [(1, 4), (2, 4), (3, 3), (5, 1), (1, 0)])
def test_expected_map_is_the_mean_over_all_orders(positives: int, negatives: int) -> None:
    size, values = positives + negatives, []
    for places in itertools.combinations(range(1, size + 1), positives):
        values.append(sum((k + 1) / place for k, place in enumerate(places)) / positives)
    assert TOOL.expected_map([positives], [negatives]) == pytest.approx(sum(values) / len(values))


def test_chance_intervals_hold_999_of_1000_random_orders() -> None:
    positives, negatives = [1, 2, 3, 2] * 5, [20, 25, 30, 10] * 5
    intervals, rng = TOOL.chance_intervals(positives, negatives), np.random.default_rng(1)
    outside = 0
    for _ in range(400):
        places = [np.sort(rng.permutation(p + n)[:p]) + 1 for p, n in zip(positives, negatives, strict=True)]
        found = float(np.mean([np.mean(np.arange(1, len(at) + 1) / at) for at in places]))
        outside += not intervals["map"][0] <= found <= intervals["map"][1]
    assert outside <= 8
    expected = TOOL.expected_map(positives, negatives)
    assert intervals["map"][1] - expected < 0.6 * expected
