"""Result files made up in a project's copy."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reproid.catalog.catalog import Catalog, load_catalog
from reproid.catalog.plan import PlannedMetrics, plan_suite, plan_table, planned_runs
from reproid.catalog.protocols import get_protocol
from reproid.catalog.runs import Run
from reproid.report.results import Results

TABLE = "psformer/table-1"


def metrics_json(scored_under: str, /, **values: Any) -> dict[str, Any]:
    """Return a metrics file with plausible numbers; ``values`` are laid over it."""
    cmc = [min(1.0, round(0.6 + 0.02 * rank, 4)) for rank in range(50)]
    return {
        "schema": 1,
        "protocol": {"name": scored_under, "revision": get_protocol(scored_under).revision, "definition": {"ap": "step"}},
        "made_with": {"sampling": "dense"},
        "counts": {"queries": 60, "scored": 57, "dropped": {"no match in the gallery": 3}, "gallery": 200, "persons": 20},
        "map": 0.5125,
        "minp": 0.2,
        "rank1": cmc[0],
        "rank5": cmc[4],
        "rank10": cmc[9],
        "rank20": cmc[19],
        "cmc": cmc,
        "ci95": {"map": [0.45, 0.57], "rank1": [0.5, 0.7]},
    } | values


HISTORY = "epoch,lr,loss,accuracy,triplet\n1,0.0003,4.25,0.1,0.9\n2,0.0003,3.5,0.3,0.6\n3,3e-05,3.1,0.45,\n"


@dataclass
class Made:
    """A project's folder with made-up result files."""

    root: Path
    results: Path = field(init=False)

    def __post_init__(self) -> None:
        self.results = self.root / "results"

    def catalog(self, suite: str = "demo") -> Catalog:
        return load_catalog(self.root, suite=suite)

    def read(self) -> Results:
        return Results(self.results)

    def entries(self, suite: str, metric: str, table: str = TABLE, row: int = 0) -> tuple[PlannedMetrics, ...]:
        """Return the metrics files behind the first cell of a row that shows ``metric`` and has any."""
        cells = plan_table(self.catalog(suite), table).cells[row]
        return next(cell.metrics for cell in cells if cell.column.metric == metric and cell.metrics)

    def write(self, path: str, content: str | dict[str, Any]) -> Path:
        target = self.results / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return target

    def score(self, entry: PlannedMetrics, /, **values: Any) -> None:
        """Write a finished run with its metrics file."""
        self.finish(entry.run)
        made_with = {"sampling": "dense", "run_id": entry.run.run_id}
        self.write(entry.path, metrics_json(entry.protocol, **{"made_with": made_with, **values}))

    def finish(self, run: Run, *, weights: str = "none") -> None:
        """Write what training leaves behind."""
        manifest = {"schema": 1, "argv": ["reproid", "train", "--run-id", run.run_id], "weights": weights, "python": "3.11.2"}
        manifest |= {
            "packages": {f"package-{index}": "1.0" for index in range(12)},
            "hardware": {"cpu": "a processor", "cores": 2},
        }
        self.write(f"{run.folder}/run.json", run.model_dump_json())
        self.write(f"{run.folder}/manifest.json", manifest)
        self.write(f"{run.folder}/history.csv", HISTORY)
        self.write(f"{run.folder}/status.json", {"state": "done", "reason": None})

    def fail(self, run: Run, reason: str) -> None:
        """Write what a failed training leaves behind."""
        self.write(f"{run.folder}/status.json", {"state": "failed", "reason": reason})

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit one of the project's own files."""
        target = self.root / path
        text = target.read_text(encoding="utf-8")
        assert old in text
        target.write_text(text.replace(old, new), encoding="utf-8")

    def runs(self, suite: str = "demo") -> list[str]:
        """Return the ids of the suite's runs, sorted."""
        return list(planned_runs(plan_suite(self.catalog(suite))))

    def numbers(self, suite: str = "demo", table: str | None = None) -> tuple[int, int]:
        """Return how many cells the suite's tables (or one of them) have, and how many of them any run gives a number."""
        cells = [c for t in plan_suite(self.catalog(suite)) if table in (None, t.name) for row in t.cells for c in row]
        return len(cells), sum(bool(cell.metrics) for cell in cells)

    def fill(self, suite: str = "demo") -> None:
        """Write every run of a suite as finished, each with numbers of its own."""
        for index, run_id in enumerate(planned_runs(plan_suite(self.catalog(suite)))):
            for table in plan_suite(self.catalog(suite)):
                for entry in table.metrics():
                    if entry.run.run_id == run_id:
                        self.score(entry, map=0.3 + 0.0101 * index, rank1=0.4567 + 0.01 * index)
