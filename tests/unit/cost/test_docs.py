import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROWS = {"psformer/resnet50": "ResNet-50", "psformer/vit-b": "ViT-B", "psformer/vit-s": "ViT-S"}


@pytest.mark.parametrize("experiment", ROWS)
def test_cost_page_holds_the_benchmarks_figures(experiment: str) -> None:
    page = (ROOT / "docs" / "cost.md").read_text()
    found = json.loads((ROOT / "benchmarks" / "cost.json").read_text())["experiments"][experiment]
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {ROWS[experiment]} |")]
    assert f"| {found['gmacs']:.2f} | {found['gmacs_without_attention']:.2f} |" in row
    assert found["formula"]["gmacs"] == pytest.approx(found["gmacs"], rel=1e-6)
