"""Simulation: how often does a 95 % bootstrap interval hold the true mean AP, resampling persons or single queries?

    python benchmarks/intervals.py --out benchmarks/intervals.json     under two minutes

Each simulated test set has 626 persons with 2 to 6 queries each, 1980 in all. A query's AP is the logistic function of a mean,
an effect of the person and an effect of the query; the persons' share of the variance is varied.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from reproid.files import write_json
from reproid.retrieval.intervals import bootstrap_means, by_person, percentile_intervals

PERSONS, QUERIES = 626, 1980
SHARES = (0.0, 0.3, 0.6, 0.9)
MEAN, SPREAD = 1.8, 1.6
RESAMPLES = 500


def main() -> None:
    """Run the simulation and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", type=int, default=300, help="simulated test sets per share")
    arguments = parser.parse_args()
    rows = [simulate(share, arguments.sets) for share in SHARES]
    write_json(
        arguments.out, {"persons": PERSONS, "queries": QUERIES, "sets": arguments.sets, "resamples": RESAMPLES, "rows": rows}
    )


def simulate(share: float, sets: int) -> dict[str, Any]:
    """Return coverage and mean width, in points, of both kinds of interval, for one share of the persons in the variance."""
    rng = np.random.default_rng(int(100 * share))
    truth = float(average_precisions(rng, rng.standard_normal(2_000_000), share).mean())
    held: dict[str, list[bool]] = {"persons": [], "queries": []}
    widths: dict[str, list[float]] = {"persons": [], "queries": []}
    for _ in range(sets):
        pids = np.repeat(np.arange(PERSONS), queries_per_person(rng))
        ap = average_precisions(rng, rng.standard_normal(PERSONS)[pids], share)
        for kind, units in (("persons", pids), ("queries", np.arange(QUERIES))):
            means = bootstrap_means(by_person(ap[:, None], units), rng, resamples=RESAMPLES)
            low, high = percentile_intervals(means, ["map"])["map"]
            held[kind].append(low <= truth <= high)
            widths[kind].append(100 * (high - low))
    row: dict[str, Any] = {"persons_share_of_variance": share}
    for kind in held:
        row[f"coverage_resampling_{kind}"] = round(float(np.mean(held[kind])), 3)
        row[f"width_points_resampling_{kind}"] = round(float(np.mean(widths[kind])), 2)
    print(row, file=sys.stderr)
    return row


def average_precisions(rng: np.random.Generator, person_effects: Any, share: float) -> Any:
    """Return one AP per query; ``person_effects`` is standard normal, one value per query."""
    query_effects = rng.standard_normal(len(person_effects))
    return 1 / (1 + np.exp(-(MEAN + SPREAD * (np.sqrt(share) * person_effects + np.sqrt(1 - share) * query_effects))))


def queries_per_person(rng: np.random.Generator) -> Any:
    """Return 2 to 6 queries for each person, 1980 in all."""
    counts = np.full(PERSONS, 2)
    while counts.sum() < QUERIES:
        person = rng.integers(PERSONS)
        counts[person] += counts[person] < 6
    return counts


if __name__ == "__main__":
    main()
