"""docs/cluster.md says what was measured, and names only what there is."""

import json
import re
from pathlib import Path

import pytest

from reproid.catalog.site import Site

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/cluster.md").read_text()
MEASURED = json.loads((ROOT / "benchmarks/slurm.json").read_text())


@pytest.mark.parametrize("mode", MEASURED["modes"])
def test_cluster_page_gives_the_measured_submissions_and_time(mode: str) -> None:
    found = MEASURED["modes"][mode]
    assert f"| {mode} | {found['submissions']} | {found['wall_s']:.0f} s | {found['job_s']} s |" in PAGE


def test_cluster_page_gives_the_planned_submissions_of_both_small_suites() -> None:
    for suite, found in MEASURED["suites"].items():
        said = rf"{suite}\s(?:need\s)?{found['submissions']}\s(?:submissions\s)?instead\sof\s{found['steps']}"
        assert re.search(said, PAGE), suite
        assert found["submissions"] < found["steps"] / 2


@pytest.mark.parametrize("key", ["warning_s", "modules", "container"])
def test_cluster_page_names_keys_of_the_site_file_that_exist(key: str) -> None:
    assert re.search(f"`{key}[`:]", PAGE)
    assert key in Site.model_fields


def test_cluster_page_lists_five_failures() -> None:
    table = PAGE.partition("## The five failures")[2].partition("##")[0]
    assert len(re.findall(r"^\| (?!what you see|---)", table, flags=re.MULTILINE)) == 5
