from pathlib import Path

import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.costs import CostSettings
from reproid.catalog.plan import find_cost, plan_cost, plan_suite, plan_table
from reproid.errors import InputError


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def cost_id(experiment: str = "psformer/vit-b") -> str:
    return plan_cost(load_catalog(suite="demo"), experiment).cost_id


def test_plan_cost_is_of_the_papers_size_in_every_suite(project: Path) -> None:
    for suite in ("tiny", "demo", "paper"):
        plan = plan_cost(load_catalog(suite=suite), "psformer/resnet50")
        assert (plan.frames, plan.height, plan.width, plan.options["layers"]) == (8, 256, 128, [3, 4, 6, 3])


@pytest.mark.parametrize(
    ("path", "old", "new", "changes"),
    [
        ("papers/psformer/experiments.yaml", "depth: 12", "depth: 11", True),
        ("papers/psformer/experiments.yaml", "height: 256", "height: 128", True),
        ("suites/demo.yaml", "repeats: 3", "repeats: 4", True),
        ("suites/demo.yaml", "depth: 3", "depth: 2", False),
        ("suites/demo.yaml", "seeds: [0]", "seeds: [1]", False),
        ("params.yaml", "height: null", "height: 128", False),
        ("papers/psformer/experiments.yaml", "epochs: 200", "epochs: 100", False),
        ("datasets.yaml", "seed: 1", "seed: 9", False),
    ],
    ids=["option", "clip", "timing", "suite-option", "seed", "parameter", "training", "data"],
)
def test_cost_ids_follow_what_changes_the_cost_alone(project: Path, path: str, old: str, new: str, changes: bool) -> None:
    before = cost_id()
    edit(project / path, old, new)
    assert (cost_id() != before) == changes


def test_cost_ids_the_methods_revision_changes_them(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cost_id()
    catalog = load_catalog(suite="demo")
    method = catalog.methods["vit"]
    monkeypatch.setitem(catalog.methods, "vit", method.model_copy(update={"revision": method.revision + 1}))
    assert cost_id() != before


def test_plan_cost_equal_networks_share_a_measurement(project: Path) -> None:
    assert cost_id("controls/resnet50-untrained") == cost_id("psformer/resnet50")


def test_plan_cells_of_cost_columns_name_their_file(project: Path) -> None:
    cells = {cell.column.id: cell for cell in plan_table(load_catalog(suite="demo"), "psformer/table-1").cells[1]}
    assert cells["gmacs"].cost is not None
    assert cells["gmacs"].cost.path == f"cost/{cost_id()}.json"
    assert cells["ms-per-video"].cost == cells["gmacs"].cost
    assert cells["mars-map"].cost is None


def test_plan_table_names_every_measurement_once(project: Path) -> None:
    costs = plan_suite(load_catalog(suite="demo"))[0].costs()
    assert {cost.cost_id for cost in costs} >= {cost_id(f"psformer/{name}") for name in ("resnet50", "vit-b", "vit-s")}
    assert len({cost.cost_id for cost in costs}) == len(costs)


def test_find_cost_of_another_suite_is_found(project: Path) -> None:
    plan = plan_cost(load_catalog(suite="tiny"), "psformer/resnet50")
    assert find_cost(load_catalog(suite="demo"), plan.cost_id) == plan
    assert plan.settings == CostSettings(batches=())


def test_find_cost_planned_by_none_says_what_to_do(project: Path) -> None:
    with pytest.raises(InputError, match="cost 000000000000: no suite plans it.*run the workflow again"):
        find_cost(load_catalog(), "000000000000")


def test_plan_cost_of_a_missing_method_says_so(project: Path) -> None:
    edit(project / "papers/psformer/experiments.yaml", "method: vit\n    options: {width", "method: vita\n    options: {width")
    with pytest.raises(InputError, match=r"unknown method; .*got 'vita'\. Did you mean 'vit'\?"):
        cost_id()
