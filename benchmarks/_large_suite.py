"""A project as large as the full paper plan: made-up papers on the declared data sets, and the files that finished runs leave."""

import os
import shutil
import time
from pathlib import Path

from ruamel.yaml import YAML

from reproid.catalog.catalog import Catalog
from reproid.catalog.datasets import index_of
from reproid.catalog.plan import plan_suite

SUITE = "large"
DATASETS = ("mars", "ls-vid", "dukemtmc-videoreid", "ilids-vid", "prid-2011")
TRAININGS_PER_EXPERIMENT = 69
"""Three seeds: once on each of three data sets, on ten splits of each of the other two."""
_PROTOCOLS = {
    "mars": ("mars-standard", "mars-gallery-9330"),
    "ls-vid": ("lsvid-gallery-11333", "lsvid-gallery-7829"),
    "dukemtmc-videoreid": ("duke-standard", "duke-standard"),
    "ilids-vid": ("ilids-mean10", "ilids-split0"),
    "prid-2011": ("prid-mean10", "prid-mean10-torchreid"),
}
_METRICS = ("map", "rank1", "rank5", "rank20")
_ROWS = 10
_COPIED = ("Snakefile", "workflow", "profiles", "local", "slurm/config.yaml", "datasets.yaml", "weights.yaml", "papers", "suites")


def make_project(clone: Path, folder: Path, experiments: int) -> None:
    """Copy a clone's workflow and declarations, and add papers with so many experiments and a suite of them alone.

    Every paper prints two tables of its rows under two protocols, so that most trainings have four jobs: train, embed, evaluate
    twice. The experiments are networks at hand with settings of their own, standing in for methods that are not implemented.

    Args:
        clone: the repository.
        folder: where to; created.
        experiments: how many; each is `TRAININGS_PER_EXPERIMENT` trainings.
    """
    for name in _COPIED:
        source, target = clone / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for dataset in DATASETS:
        (folder / "data" / "raw" / dataset).mkdir(parents=True)
    tables = []
    for first in range(0, experiments, _ROWS):
        tables += _make_paper(folder, first // _ROWS, range(first, min(first + _ROWS, experiments)))
    suite = {
        "name": SUITE,
        "about": "made up",
        "tables": tables,
        "datasets": {name: name for name in DATASETS},
        "seeds": [0, 1, 2],
    }
    _write(folder / "suites" / f"{SUITE}.yaml", suite)
    _write(folder / "params.yaml", {"suite": SUITE})


def fill_project(catalog: Catalog) -> int:
    """Write an empty file for every result that the suite needs; returns how many."""
    root, now = catalog.root, time.time()
    paths = {root / "results" / "summary" / name for name in ("metrics.json", "cmc.csv", "history.csv")}
    for table in plan_suite(catalog):
        paths |= {root / "results" / "tables" / f"{table.name}.json"}
        for entry in table.metrics():
            run = entry.run
            index, folder = index_of(run.dataset, run.data, root), root / "results" / run.folder
            paths |= {index / f"{name}.parquet" for name in ("tracklets", "splits")}
            paths |= {folder / name for name in ("run.json", "history.csv", "manifest.json")}
            paths |= {
                folder / "embeddings" / f"{run.settings.embed.sampling}.npz",
                folder / "metrics" / f"{entry.protocol}.queries.parquet",
            }
            paths |= {folder / kind / f"{entry.protocol}.json" for kind in ("metrics", "inspection", "families")}
    paths.add(root / "reports" / "index.html")
    for path in sorted(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (now, now))  # of one moment: none is newer than what is made of it
    return len(paths)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which programs take ``folder`` for the project."""
    return {**os.environ, "REPROID_ROOT": str(folder), "REPROID_DATA": str(folder / "data" / "raw")}


def _make_paper(folder: Path, number: int, experiments: range) -> list[str]:
    paper = f"large-{number:02d}"
    top = folder / "papers" / paper
    about = {
        "id": paper,
        "title": "made up",
        "short": "made up",
        "authors": "nobody",
        "venue": "nowhere",
        "year": 2026,
        "about": "-",
    }
    _write(top / "paper.yaml", about)
    declared = {f"e{n:03d}": _experiment(n) for n in experiments}
    _write(top / "experiments.yaml", {"defaults": {"train": {"epochs": 200}}, "experiments": declared})
    for table in range(2):
        _write(top / "tables" / f"table-{table}.yaml", _table(table, list(declared)))
    return [f"{paper}/table-{table}" for table in range(2)]


def _experiment(number: int) -> dict[str, object]:
    options = {"layers": [1 + number % 4, 4, 6, 3]} if number % 2 else {"depth": 6 + number % 7}
    settings = {"train": {"optimizer": {"lr": 1e-4 * (number + 1)}}}
    return {"method": "resnet50" if number % 2 else "vit", "options": options, "overrides": settings}


def _table(number: int, experiments: list[str]) -> dict[str, object]:
    columns = [
        {"id": f"{dataset}-{metric}", "head": metric, "metric": metric, "dataset": dataset}
        for dataset in DATASETS
        for metric in _METRICS
    ]
    rows = [{"labels": [name], "experiment": name, "printed": [50.0] * len(columns)} for name in experiments]
    return {
        "id": f"table-{number}",
        "number": str(number),
        "title": "made up",
        "label_heads": ["Method"],
        "columns": columns,
        "protocols": {dataset: _PROTOCOLS[dataset][number] for dataset in DATASETS},
        "rows": rows,
    }


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
