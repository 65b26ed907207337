"""A user's mistake, as a user meets it: a process that prints one line, ends with code 2 and leaves nothing behind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.plan import plan_suite, planned_runs
from reproid.cli import COMMANDS

Prepare = Callable[[Path], list[str]]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def unknown_data_set(project: Path) -> list[str]:
    return ["data", "index", "--dataset", "marz"]


def missing_data_set(project: Path) -> list[str]:
    return ["data", "index", "--dataset", "mars"]


def withdrawn_data_set(project: Path) -> list[str]:
    return ["data", "index", "--dataset", "dukemtmc-videoreid"]


def unknown_method(project: Path) -> list[str]:
    run = next(iter(planned_runs(plan_suite(load_catalog(suite="tiny"))).values()))
    run = run.model_copy(update={"settings": run.settings.model_copy(update={"method": "resnet5"})})
    (project / "run.json").write_text(run.model_dump_json())
    return ["train", "--run-file", "run.json"]


def unknown_protocol(project: Path) -> list[str]:
    np.savez(project / "d.npz", distances=np.zeros((1, 1), np.float32))
    return ["evaluate", "--distances", "d.npz", "--protocol", "mars-standart", "--out", "m.json"]


def unknown_parameter(project: Path) -> list[str]:
    edit(project / "params.yaml", "epochs:", "epoch:")
    return ["catalog", "runs"]


def unknown_option_of_a_method(project: Path) -> list[str]:
    edit(project / "suites/demo.yaml", "channels:", "chanels:")
    return ["catalog", "runs"]


def unknown_run(project: Path) -> list[str]:
    return ["train", "--run-id", "000000000000"]


def unknown_table(project: Path) -> list[str]:
    return ["table", "psformer/table1", "--out", "t.json"]


CASES: list[tuple[Prepare, str]] = [
    (unknown_data_set, "unknown data set; expected one of: .*got 'marz'. Did you mean 'mars'?"),
    (missing_data_set, "mars: data missing; expected the folder .*data/raw/mars, got nothing. Download bbox_train.zip"),
    (withdrawn_data_set, "dukemtmc-videoreid: data withdrawn; expected the folder .*Not offered"),
    (unknown_method, "unknown method; expected one of: .*got 'resnet5'. Did you mean 'resnet50'?"),
    (unknown_protocol, "unknown protocol; expected one of: .*got 'mars-standart'. Did you mean 'mars-standard'?"),
    (unknown_parameter, "params.yaml, key 'overrides.train.epoch': unknown key; .*Did you mean 'epochs'?"),
    (unknown_option_of_a_method, "option 'chanels' of method 'resnet50': unknown option; .*Did you mean 'channels'?"),
    (unknown_run, "run 000000000000: no suite plans it. .*run the workflow again"),
    (unknown_table, "unknown table; .*Did you mean 'psformer/table-1'?"),
]


@pytest.mark.parametrize(("prepare", "message"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_mistake_prints_one_line_ends_with_2_and_leaves_nothing(project: Path, prepare: Prepare, message: str) -> None:
    arguments = prepare(project)
    before = sorted(project.rglob("*"))
    done = subprocess.run([sys.executable, "-m", "reproid", *arguments], text=True, capture_output=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    first, *rest = message.split(".*")
    assert line.startswith("reproid: error: ")
    assert first in line
    assert all(part in line for part in rest), line
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_examples(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", "reproid", command, "--help"], text=True, capture_output=True, check=True)
    assert "Examples:" in done.stdout
    assert f"reproid {command}" in done.stdout.partition("Examples:")[2]


def test_help_of_the_whole_lists_every_command_in_well_under_a_second() -> None:
    code = "import sys, reproid.cli; print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
    listed = subprocess.check_output([sys.executable, "-m", "reproid", "--help"], text=True)
    assert all(f"\n  {name} " in listed for name in COMMANDS)
