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


def test_protocols_page_holds_the_benchmarks_numbers() -> None:
    page = (ROOT / "docs" / "protocols.md").read_text()
    results = json.loads((ROOT / "benchmarks" / "retrieval.json").read_text())
    runs = results["synth"]["runs"]
    assert runs["reproid, 1 thread"]["cpu_ratio"] <= 0.17
    assert runs["reproid, 1 thread"]["memory_mb"] <= 50
    for name, run in runs.items():
        assert f"{name} | {run['cpu_s']:.3f} | {run['memory_mb']:.0f} | {run['cpu_ratio']:.3f} of np.argsort |" in page
    for row in results["streaming"]:
        start = f"| {row['queries']} x {row['gallery']} from embeddings | {row['cpu_s']:.1f} | {row['memory_mb']:.0f} "
        assert start in page
