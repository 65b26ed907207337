import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def read(name: str) -> tuple[str, dict[str, Any]]:
    return (ROOT / "docs" / "gop.md").read_text(), json.loads((ROOT / "benchmarks" / name).read_text())


def error_cells(row: dict[str, Any]) -> list[str]:
    cells = [f"{row[name]:.2f}" for name in ("error_px", "error_median_px", "error_body_px", "error_body_median_px")]
    valid = f"{100 * row['valid']:.1f} %" if "valid" in row else "-"
    return [*cells, f"{100 * row['within_2px']:.1f} %", f"{row['psnr_db']:.2f}", valid]


def test_gop_page_holds_the_errors_of_the_benchmark() -> None:
    page, results = read("gop_error.json")
    assert f"{results['clips']} clips" in page
    for row in results["rows"]:
        assert f"| `{row['method']}` | {' | '.join(error_cells(row))} |" in page
        if "exact_coherent" in row:
            cells = [f"{100 * row[name]:.2f} %" for name in ("exact_coherent", "exact_incoherent")]
            assert f"| `{row['method']}` | {' | '.join(cells)} |" in page


def test_gop_error_benchmark_meets_the_goals() -> None:
    _, results = read("gop_error.json")
    exact = {row["method"]: row["exact_coherent"] for row in results["rows"] if "exact_coherent" in row}
    assert min(exact["h264-pairs"], exact["h264-bstar"], exact["block-matching"]) >= 0.98
    assert exact["block-matching-exhaustive"] == 1


def test_gop_page_holds_the_times_of_the_benchmark() -> None:
    page, results = read("gop.json")
    for name, value in results["cpu_ms_per_clip"].items():
        psnr = f"{results['psnr_db'][name]:.2f}" if name in results["psnr_db"] else "-"
        assert f"| {name} | {value:.2f} | {psnr} |" in page
    for name, value in results["ratios"].items():
        assert f"| {name} | {value:.1f} |" in page
    for name, value in results["training_step"]["shares"].items():
        assert f"| {name} | {100 * value:.2f} % |" in page


def test_gop_benchmark_meets_its_goals() -> None:
    _, results = read("gop.json")
    ratios = results["ratios"]
    assert min(ratios["naive / h264-pairs"], ratios["naive / h264-bstar"]) >= 30
    assert min(ratios["x264 medium / h264-pairs"], ratios["x264 medium / h264-bstar"]) >= 3.5
    assert ratios["h264-pairs / block-matching"] >= 3
    assert results["psnr_db"]["block-matching"] >= results["psnr_db"]["h264-pairs"] - 0.3
    assert results["cpu_ms_per_clip"]["residual"] < 0.6


def test_gop_page_holds_how_often_damage_is_unseen() -> None:
    page, results = read("damage.json")
    for codec in {row["codec"] for row in results["rows"]}:
        cells = [f"{100 * row['unseen']:.0f} %" for row in results["rows"] if row["codec"] == codec]
        assert f"| {codec} | {' | '.join(cells)} |" in page
