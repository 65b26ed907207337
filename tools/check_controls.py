"""Check the evaluation by its controls: an oracle scores 100 %, a random descriptor what chance gives, the camera alone less.

It reads the metrics files of finished runs and their settings; what chance gives is worked out here anew, from the counts of each
query, so that a mistake in the package does not hide itself. Example: python tools/check_controls.py
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("oracle", "random", "camera", "histogram")


def expected_rank1(positives: list[int], negatives: list[int]) -> float:
    """Return the mean over queries of P / N: the first place of a random order holds a match."""
    return sum(p / (p + n) for p, n in zip(positives, negatives, strict=True)) / len(positives)


def expected_map(positives: list[int], negatives: list[int]) -> float:
    """Return the mean over queries of the expected average precision of a random order of N tracklets with P matches.

    A match at place k has on average (k - 1)(P - 1)/(N - 1) matches before it; each place holds one with the same chance.
    """
    total = 0.0
    for p, n in zip(positives, negatives, strict=True):
        size = p + n
        harmonic = sum(1 / k for k in range(1, size + 1))
        total += (harmonic + (p - 1) / max(size - 1, 1) * (size - harmonic)) / size
    return total / len(positives)


def chance_intervals(positives: list[int], negatives: list[int], *, orders: int = 300) -> dict[str, tuple[float, float]]:
    """Return the range in which a random order's rank1 and map lie in 99.9 % of all cases: expectation +- 3.3 deviations.

    The interval of a metrics file would not do: it is [0, 0] where none of few queries hits. The deviation of average precisions
    comes from ``orders`` random orders per query.
    """
    rng = np.random.default_rng(0)
    variances = {"rank1": 0.0, "map": 0.0}
    for p, n in zip(positives, negatives, strict=True):
        places = np.sort(rng.random((orders, p + n)).argsort(axis=1)[:, :p], axis=1) + 1
        variances["map"] += float((np.arange(1, p + 1) / places).mean(axis=1).var(ddof=1))
        variances["rank1"] += p * n / (p + n) ** 2
    expected = {"rank1": expected_rank1(positives, negatives), "map": expected_map(positives, negatives)}
    widths = {name: 3.3 * variance**0.5 / len(positives) for name, variance in variances.items()}
    return {name: (value - widths[name], value + widths[name]) for name, value in expected.items()}


def check(kind: str, metrics: dict[str, Any], positives: list[int], negatives: list[int]) -> list[str]:
    """Return what is wrong with the numbers of one control, as sentences."""
    wrong = []
    if kind == "oracle":
        wrong = [f"{name} is {metrics[name]}, not 1" for name in ("map", "minp", "rank1", "rank20") if metrics[name] != 1]
    chance = {"rank1": expected_rank1(positives, negatives), "map": expected_map(positives, negatives)}
    intervals = chance_intervals(positives, negatives) if kind == "random" else {}
    for name, (least, most) in intervals.items():
        if not least <= metrics[name] <= most:
            wrong.append(f"{name} is {metrics[name]:.4f}, outside what chance gives, {least:.4f} to {most:.4f}")
    for name, value in chance.items():
        if kind == "camera" and metrics[name] >= value:
            wrong.append(f"{name} is {metrics[name]:.4f}, not below chance, {value:.4f}")
        if kind == "histogram" and metrics[name] <= value:
            wrong.append(f"{name} is {metrics[name]:.4f}, not above chance, {value:.4f}")
    return wrong


def controls(root: Path) -> list[tuple[str, Path]]:
    """Return kind and metrics file of every finished control of a project."""
    found = []
    for path in sorted(root.glob("results/runs/*/*/metrics/mars-standard.json")):
        settings = json.loads((path.parent.parent / "run.json").read_text(encoding="utf-8"))["settings"]
        if settings["method"] == "control":
            found.append((settings["options"]["kind"], path))
    return found


def counts(path: Path) -> tuple[list[int], list[int]]:
    """Return positives and negatives of each scored query, from the labels beside the descriptors of the run."""
    with np.load(path.parent.parent / "embeddings" / "dense.npz", allow_pickle=False) as file:
        pids, camids, query, gallery = (file[name] for name in ("pids", "camids", "is_query", "is_gallery"))
    positives, negatives = [], []
    for pid, camid in zip(pids[query].tolist(), camids[query].tolist(), strict=True):
        others = gallery & (pids != -1)
        matches = int((others & (pids == pid) & (camids != camid)).sum())
        if matches:
            positives.append(matches)
            negatives.append(int((others & (pids != pid)).sum()))
    return positives, negatives


def main() -> None:
    """Check every finished control; exit with code 1 at the first one that is wrong."""
    found = controls(ROOT)
    missing = sorted(set(KINDS) - {kind for kind, _ in found})
    if missing:
        sys.exit(f"no finished run of the controls: {', '.join(missing)}")
    for kind, path in found:
        wrong = check(kind, json.loads(path.read_text(encoding="utf-8")), *counts(path))
        if wrong:
            sys.exit(f"control '{kind}', {path}: {'; '.join(wrong)}")
    print(f"check_controls: {len(found)} controls score what they must")


if __name__ == "__main__":
    main()
