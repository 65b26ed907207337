from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reproid.catalog._yaml import read_yaml
from reproid.catalog.schema import SCHEMAS, write_schemas
from reproid.files import read_json

ROOT = Path(__file__).resolve().parents[3]
FILES = [
    path for pattern in ("*.yaml", "slurm/*.yaml", "suites/*.yaml", "papers/**/*.yaml") for path in sorted(ROOT.glob(pattern))
]
FILES += sorted((ROOT / "src/reproid/models").glob("*/method.yaml"))
NAMED = [path for path in FILES if "$schema=" in path.read_text().partition("\n")[0]]


def test_schemas_committed_are_those_of_the_code(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        assert path.read_text() == (ROOT / "schemas" / path.name).read_text(), f"run `make schemas`: {path.name} is out of date"


@pytest.mark.parametrize("path", NAMED, ids=lambda path: str(path.relative_to(ROOT)))
def test_schema_named_in_the_first_line_exists_and_fits(path: Path) -> None:
    schema = (path.parent / path.read_text().partition("\n")[0].partition("$schema=")[2]).resolve()
    assert schema.parent == ROOT / "schemas"
    Draft202012Validator(read_json(schema)).validate(read_yaml(path))


def test_schemas_every_kind_of_file_is_covered() -> None:
    kinds = {path.read_text().partition("$schema=")[2].partition("\n")[0].split("/")[-1].split(".")[0] for path in NAMED}
    assert kinds == set(SCHEMAS)
