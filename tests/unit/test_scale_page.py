"""docs/scale.md says what benchmarks/scale.json holds, and that is what was aimed at."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZES = json.loads((ROOT / "benchmarks" / "scale.json").read_text())["sizes"]


def test_page_table_is_the_benchmark() -> None:
    text = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if re.match(r"\| [\d,]+ \|", line)
    ]
    expected = [
        [f"{size[name]:,}" for name in ("trainings", "jobs", "files")]
        + [f"{size[name]['wall_s']:.1f}" for name in ("plan", "dag", "no_op", "touch")]
        for size in SIZES
    ]
    assert rows == expected


def test_full_paper_plan_is_within_what_was_aimed_at() -> None:
    largest = SIZES[-1]
    assert largest["trainings"] >= 2600
    assert largest["jobs"] >= 3.9 * largest["trainings"]
    assert largest["dag"]["wall_s"] < 30
    assert largest["no_op"]["wall_s"] < 60
