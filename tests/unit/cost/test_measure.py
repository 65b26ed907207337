import json
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import torch

from reproid.catalog.costs import CostSettings, PlannedCost, make_cost
from reproid.catalog.methods import load_methods
from reproid.catalog.settings import Clips, Settings
from reproid.cost import measure as module
from reproid.cost import timing
from reproid.cost.measure import CostJob, measure
from reproid.errors import InputError
from reproid.models.macs import Macs

SMALL: dict[str, Any] = {"width": 16, "depth": 1, "heads": 2, "grid": [2, 2], "pretrained": None}


def _plan(*batches: int, repeats: int = 2) -> PlannedCost:
    options = load_methods()["vit"].resolve_options(SMALL, where="test")
    settings = Settings(method="vit", options=options, clips=Clips(frames=2, height=32, width=32))
    return make_cost(settings, revision=1, measured=CostSettings(batches=batches, repeats=repeats))


def test_measure_writes_counts_times_and_the_machine(tmp_path: Path) -> None:
    out = tmp_path / "cost" / "x.json"
    found = measure(CostJob(plan=_plan(1, 3), out=out, device="cpu"))
    assert json.loads(out.read_text()) == json.loads(json.dumps(found))
    tokens, width = 5, 16
    attention = 2 * 2 * tokens**2 * width
    weights = 2 * (4 * 768 * width + tokens * 12 * width**2)
    assert found["formula"] == {
        "gmacs": pytest.approx((weights + attention) / 1e9, abs=1e-6),
        "gmacs_without_attention": pytest.approx(weights / 1e9, abs=1e-6),
    }
    assert found["gmacs"] == pytest.approx(found["formula"]["gmacs"], abs=1e-6)
    assert [(entry["batch"], entry["repeats"]) for entry in found["timings"]] == [(1, 2), (3, 2)]
    assert found["ms_per_video"] == found["timings"][0]["ms_per_video"] > 0
    assert found["hardware"]["cores"] >= 1
    assert datetime.now(UTC) - datetime.fromisoformat(found["started"]) < timedelta(minutes=10)
    assert (found["device"], found["plan"]["cost_id"]) == ("cpu", _plan(1, 3).cost_id)


def test_measure_counts_no_classifier_among_the_parameters(tmp_path: Path) -> None:
    found = measure(CostJob(plan=_plan(), out=tmp_path / "x.json", device="cpu"))
    block = 12 * 16**2 + 13 * 16  # weights; biases and two norms
    backbone = 16 * (768 + 1) + 16 * (1 + 5) + block + 2 * 16
    assert found["parameters"] == backbone + 2 * 16  # the neck's norm


@pytest.mark.parametrize(("batches", "timed"), [((), 0), ((4,), 1)], ids=["no-time", "no-single-video"])
def test_measure_without_single_videos_has_no_time_for_the_column(tmp_path: Path, batches: tuple[int, ...], timed: int) -> None:
    found = measure(CostJob(plan=_plan(*batches), out=tmp_path / "x.json", device="cpu"))
    assert (found["ms_per_video"], len(found["timings"])) == (None, timed)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (Macs(weights=52_000, attention=3_200), r"method 'vit': counted MACs and those of the formula differ by more than 1 %"),
        (
            Macs(weights=129_040 - 2000, attention=1_600 + 2000),
            r"counted MACs without attention and those of the formula differ by more than 1 %; expected 127040, got 129040",
        ),
    ],
    ids=["all", "without-attention"],
)
def test_measure_refuses_a_formula_that_is_off_by_more_than_a_percent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, formula: Macs, message: str
) -> None:
    monkeypatch.setattr(module, "formula_of", lambda *_: formula)
    with pytest.raises(InputError, match=message):
        measure(CostJob(plan=_plan(), out=tmp_path / "x.json", device="cpu"))
    assert not list(tmp_path.iterdir())


def test_measure_without_a_gpu_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"device cuda: no GPU that torch can use\. Take --device cpu"):
        measure(CostJob(plan=_plan(1), out=tmp_path / "x.json", device="cuda"))


def test_time_is_the_median_of_the_warm_passes_over_their_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = repeat(9.0, timing.WARM_UP)
    passes = chain(cold, [0.4, 0.2, 3.0])
    monkeypatch.setattr(timing, "_one_pass", lambda *_: next(passes))
    (found,) = measure(CostJob(plan=_plan(4, repeats=3), out=tmp_path / "x.json", device="cpu"))["timings"]
    assert (found["ms_per_video"], found["fastest_ms_per_video"], found["slowest_ms_per_video"]) == (100.0, 50.0, 750.0)
    assert next(passes, None) is None


def test_random_clip_is_the_same_every_time() -> None:
    size = timing.ClipSize(frames=2, height=8, width=4)
    first, again = timing.random_clip(3, size), timing.random_clip(3, size)
    assert torch.equal(first.frames, again.frames)
    assert (first.frames.shape, first.frames.dtype) == ((3, 2, 3, 8, 4), torch.uint8)
    assert first.frames.float().std() > 50
