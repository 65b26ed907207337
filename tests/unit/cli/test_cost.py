import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reproid.catalog.catalog import load_catalog
from reproid.catalog.plan import plan_cost
from reproid.cli import cli
from reproid.errors import InputError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["cost", *arguments], catch_exceptions=False)


def test_cost_of_an_experiment_is_said_and_written(project: Path) -> None:
    done = run("--experiment", "psformer/vit-s", "--no-time", "--out", "cost.json")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "50.94 GMACs, 49.30 without attention products",
        "47.93 M parameters",
        "printed: 51.1 GMACs (PSFormer, Table I); own -0.3 %",
    ]
    assert json.loads(Path("cost.json").read_text())["gmacs"] == pytest.approx(50.936, abs=1e-3)


def test_cost_of_an_experiment_in_several_tables_stands_beside_each_print_once(project: Path) -> None:
    done = run("--experiment", "psformer/psformer-b", "--no-time", "--out", "cost.json")
    tables = "; ".join(f"PSFormer, Table {number}" for number in ("I", "II", "V", "VI", "VII", "VIII"))
    assert done.output.splitlines()[2:] == [f"printed: 23.5 GMACs ({tables}); own +0.1 %"]


def test_cost_of_an_experiment_that_no_paper_prints_says_nothing_of_one(project: Path) -> None:
    done = run("--experiment", "psformer/psformer-b-budget", "--no-time", "--out", "cost.json")
    assert len(done.output.splitlines()) == 2


def test_cost_of_a_planned_measurement_goes_to_its_place(project: Path) -> None:
    plan = plan_cost(load_catalog(suite="tiny"), "psformer/resnet50")
    assert run("--cost-id", plan.cost_id).exit_code == 0
    assert json.loads((project / "results" / plan.path).read_text())["plan"] == plan.model_dump(mode="json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), r"reproid cost: which measurement\?; expected either --experiment or --cost-id"),
        (("--experiment", "a", "--cost-id", "b"), r"which measurement\?"),
        (("--experiment", "psformer/resnet51"), r"unknown experiment; .*Did you mean 'psformer/resnet50'\?"),
        (("--experiment", "psformer/resnet50", "--no-time", "--batch", "2"), r"time is asked for and declined"),
        (("--cost-id", "0" * 12, "--repeats", "2"), r"its suite says what is timed; expected no --batch, --repeats or --no-time"),
        (("--cost-id", "0" * 12), r"cost 000000000000: no suite plans it"),
    ],
    ids=["neither", "both", "unknown", "time-and-none", "id-and-repeats", "unplanned"],
)
def test_cost_mistakes_are_named(project: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(*arguments)
