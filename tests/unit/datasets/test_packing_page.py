import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/packing.md").read_text()
FILES = ("pack.json",)


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / name).read_text())
    return found


@pytest.mark.parametrize("name", FILES)
def test_packing_page_holds_the_benchmarks_figures(name: str) -> None:
    found = read(name)
    for kind, row in (
        ("cold", found["cold"]),
        ("warm, CPU time", found["warm"]["cpu"]),
        ("warm", found["warm"]["wall"]),
        ("warm, with decoding, CPU time", found["decoded"]["cpu"]),
    ):
        expected = f"| {found['frames']:,} | {kind} | {row['files_ms']:.2f} | {row['shards_ms']:.2f} | {row['ratio']:.2f} |"
        assert expected in PAGE
    for figure in (f"{found['packed_per_s']:,} images per second", f"`--verify` took {found['verify_s']:.0f} s",
                   f"{found['frames']:,} frames of {found['mean_bytes']:,} bytes in {found['shards']} shards"):  # fmt: skip
        assert figure in " ".join(PAGE.split())
    assert found["cold_by"] == "drop_caches"
    assert found["frames"] >= 1_000_000
    assert found["machine"]["cores"] == 2


@pytest.mark.parametrize("name", FILES)
def test_shards_are_no_slower_than_files(name: str) -> None:
    found = read(name)
    assert min(found["cold"]["ratio"], found["warm"]["cpu"]["ratio"], found["warm"]["wall"]["ratio"]) >= 1
