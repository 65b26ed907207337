"""JSON schemas of the YAML files, for editors. The files name them in their first line."""

from pathlib import Path

from pydantic import BaseModel

from reproid.catalog.datasets import DataSets
from reproid.catalog.methods import Method
from reproid.catalog.papers import Experiments, Figure, Paper, Table
from reproid.catalog.site import Site
from reproid.catalog.suites import Params, Suite
from reproid.catalog.weights import WeightsFile
from reproid.files import write_json

SCHEMAS: dict[str, type[BaseModel]] = {
    "datasets": DataSets,
    "experiments": Experiments,
    "figure": Figure,
    "method": Method,
    "paper": Paper,
    "params": Params,
    "site": Site,
    "suite": Suite,
    "table": Table,
    "weights": WeightsFile,
}


def write_schemas(folder: Path) -> list[Path]:
    """Write ``<kind>.schema.json`` for every kind of file into ``folder`` and return the paths."""
    paths = []
    for name, model in SCHEMAS.items():
        path = folder / f"{name}.schema.json"
        write_json(path, {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()})
        paths.append(path)
    return paths
