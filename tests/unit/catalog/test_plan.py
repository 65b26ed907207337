from pathlib import Path

import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.plan import find_run, plan_suite, plan_table, planned_runs
from reproid.errors import InputError


def ids(suite: str = "demo") -> set[str]:
    return set(planned_runs(plan_suite(load_catalog(suite=suite))))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_plan_demo_equal_settings_share_a_run(project: Path) -> None:
    plan = plan_suite(load_catalog(suite="demo"))
    runs = planned_runs(plan).values()
    assert sum(run.settings.method == "resnet50" for run in runs) == 2  # trained (in both tables) and untrained
    assert sum(run.settings.method == "vit" for run in runs) == 2  # ViT-B and ViT-S
    assert sum(run.settings.train.epochs > 0 for run in runs) <= 6


def test_plan_cells_without_a_run_say_why(project: Path) -> None:
    rows = {row[0].row.labels: row for row in plan_table(load_catalog(suite="demo"), "psformer/table-1").cells}
    resnet = {cell.column.id: cell for cell in rows["ResNet50", "ResNet50"]}
    assert resnet["mars-map"].reason is None
    assert resnet["mars-map"].synthetic
    assert resnet["mars-map"].printed == 81.0
    assert resnet["ls-vid-map"].reason == "not run"
    assert (resnet["gmacs"].reason, resnet["gmacs"].cost is None) == (None, False)
    assert {cell.reason for cell in rows["STMN [18]", "ViT-S"]} == {"method missing"}


def test_plan_suite_with_a_choice_of_experiments_leaves_the_others_out(project: Path) -> None:
    cells = {
        (row[0].row.experiment, cell.column.id): cell
        for row in plan_table(load_catalog(suite="tiny"), "psformer/table-1").cells
        for cell in row
    }
    assert cells["resnet50", "mars-map"].metrics
    assert cells["resnet50", "gmacs"].cost is not None
    for left_out in (("resnet50", "ls-vid-map"), ("vit-b", "mars-map"), ("vit-b", "gmacs")):
        assert (cells[left_out].reason, cells[left_out].detail) == ("not run", "suite 'tiny' leaves it out")


def test_plan_tiny_suite_covers_all_five_layouts(project: Path) -> None:
    catalog = load_catalog(suite="tiny")
    runs = planned_runs(plan_suite(catalog)).values()
    layouts = {catalog.datasets[run.dataset].layout for run in runs}
    assert layouts == {"mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid"}


def test_plan_every_row_can_run_on_every_synthetic_layout_that_its_table_names(project: Path) -> None:
    suite = project / "suites/tiny.yaml"
    text = suite.read_text()
    tables = [f"{path.parent.parent.name}/{path.stem}" for path in sorted((project / "papers").glob("*/tables/*.yaml"))]
    chosen = text[text.index("experiments:") : text.index("overrides:")]
    suite.write_text(
        text.replace(chosen, "").replace(text[text.index("tables:") : text.index("\ndatasets:")], f"tables: {tables}")
    )
    catalog = load_catalog(suite="tiny")
    seen = set()
    for table in plan_suite(catalog):
        for cell in (cell for row in table.cells for cell in row if cell.column.dataset):
            if cell.reason == "method missing":
                continue
            assert cell.metrics, (table.name, cell.row.experiment, cell.reason, cell.detail)
            assert cell.synthetic
            assert cell.dataset == f"tiny-{cell.column.dataset}"
            seen.add(catalog.datasets[cell.dataset].layout)
    assert seen == {"mars", "ls-vid", "ilids-vid", "prid-2011", "dukemtmc-videoreid"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("controls/oracle: [mars]", "controls/oracel: [mars]", "unknown experiment; .*Did you mean 'controls/oracle'"),
        (
            "controls/oracle: [mars]",
            "controls/oracle: [marz]",
            "tiny.yaml, experiment 'controls/oracle': unknown data set; .*Did you mean 'mars'",
        ),
    ],
)
def test_plan_suite_with_a_wrong_name_in_its_choice_is_refused(project: Path, old: str, new: str, message: str) -> None:
    edit(project / "suites/tiny.yaml", old, new)
    with pytest.raises(InputError, match=message):
        load_catalog(suite="tiny")


def test_plan_paper_suite_absent_data_plan_no_runs(project: Path) -> None:
    plan = plan_suite(load_catalog(suite="paper"))
    assert not planned_runs(plan)
    cells = {cell.column.id: cell for cell in plan[0].cells[0]}
    assert (cells["mars-map"].reason, cells["prid-2011-rank1"].reason) == ("data missing", "data missing")


def test_plan_paper_suite_present_data_plan_all_seeds_and_splits(project: Path) -> None:
    (project / "data" / "raw" / "ilids-vid").mkdir(parents=True)
    runs = planned_runs(plan_suite(load_catalog(suite="paper")))
    rows = {(run.settings.method, run.settings.options.get("depth")) for run in runs.values()}
    assert rows == {("resnet50", None), ("vit", 12), ("vit", 8), ("psformer", 12), ("psformer", 8), ("control", None)}
    assert len(runs) == 30 * len(rows)
    assert {run.split for run in runs.values()} == {f"split-{n}" for n in range(10)}
    assert {run.seed for run in runs.values()} == {0, 1, 2}


def test_plan_withdrawn_data_say_so(project: Path) -> None:
    edit(project / "papers/controls/tables/table-1.yaml", "mars: mars-standard", "dukemtmc-videoreid: duke-standard")
    table = project / "papers/controls/tables/table-1.yaml"
    table.write_text(table.read_text().replace("dataset: mars", "dataset: dukemtmc-videoreid"))
    cell = plan_table(load_catalog(suite="paper"), "controls/table-1").cells[0][0]
    assert cell.reason == "data withdrawn"


@pytest.mark.parametrize(
    ("path", "old", "new", "changes"),
    [
        ("params.yaml", "epochs: null", "epochs: 2", True),
        ("params.yaml", "seeds: null", "seeds: [1]", True),
        ("datasets.yaml", "seed: 1", "seed: 9", True),
        ("datasets.yaml", "title: demo (MARS layout)", "title: other", False),
        ("papers/psformer/tables/table-1.yaml", "81.0", "81.1", False),
        ("papers/psformer/experiments.yaml", "note: Test clips", "note: The test clips", False),
        ("suites/demo.yaml", "about: Synthetic", "about: Rendered", False),
    ],
    ids=["parameter", "seed", "data", "title", "printed", "note", "about"],
)
def test_run_ids_follow_what_changes_results_alone(project: Path, path: str, old: str, new: str, changes: bool) -> None:
    before = ids()
    edit(project / path, old, new)
    assert (ids() != before) == changes


def test_run_ids_method_and_renderer_revisions_change_them(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids()
    monkeypatch.setattr("reproid.catalog.datasets.RENDERER_REVISION", 10**6)
    assert not ids() & before
    monkeypatch.undo()
    monkeypatch.chdir(project)
    catalog = load_catalog(suite="demo")
    for name, method in list(catalog.methods.items()):
        monkeypatch.setitem(catalog.methods, name, method.model_copy(update={"revision": method.revision + 1}))
    assert not ids() & before


def test_find_run_of_another_suite_is_found(project: Path) -> None:
    run_id = next(iter(ids("tiny")))
    assert find_run(load_catalog(suite="demo"), run_id).run_id == run_id


def test_find_run_planned_by_none_says_what_to_do(project: Path) -> None:
    with pytest.raises(InputError, match="run 000000000000: no suite plans it.*run the workflow again"):
        find_run(load_catalog(), "000000000000")
