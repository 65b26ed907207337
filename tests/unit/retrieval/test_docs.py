import json
from pathlib import Path

import pytest

from reproid.catalog.protocols import load_protocols
from reproid.retrieval.describe import describe

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", load_protocols(), ids=str)
def test_protocols_page_describes_each_protocol_as_its_file_does(name) -> None:
    protocol = load_protocols()[name]
    section = (ROOT / "docs" / "protocols.md").read_text().partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    assert section.startswith(f"Revision {protocol.revision}. {protocol.summary}\n\n{describe(protocol)}\n")


def test_intervals_page_holds_the_simulations_numbers() -> None:
    page = (ROOT / "docs" / "intervals.md").read_text()
    results = json.loads((ROOT / "benchmarks" / "intervals.json").read_text())
    for row in results["rows"]:
        parts = [f"{row['persons_share_of_variance']:.1f}"]
        for kind in ("persons", "queries"):
            parts += [f"{100 * row[f'coverage_resampling_{kind}']:.1f} %", f"{row[f'width_points_resampling_{kind}']:.2f}"]
        assert f"| {' | '.join(parts)} |" in page
