"""Cells: every status word from the files that lead to it, and the numbers beside it."""

from collections.abc import Callable
from typing import Any

import pytest

from report.made import Made
from reproid.catalog.plan import PlannedMetrics, plan_table
from reproid.report.cells import Cell, Desk, judge_cell
from reproid.report.status import Status
from reproid.report.tables import build_table

# The baseline of the table prints 81.0 mAP on MARS; the suite `paper` runs three seeds of it.
Arrange = Callable[[Made, tuple[PlannedMetrics, ...]], None]


def cell_of(made: Made, suite: str, column: str, row: int = 0, table: str = "psformer/table-1") -> Cell:
    numbers = build_table(made.catalog(suite), made.read(), table)
    return next(cell for cell in numbers.rows[row].cells if cell.column == column)


def score(*maps: float) -> Arrange:
    def arrange(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
        for entry, value in zip(entries, maps, strict=False):
            made.score(entry, map=value)

    return arrange


def fail_second(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    score(0.81, 0.81, 0.81)(made, entries)
    made.fail(entries[1].run, "loss is not finite")


def half_write_first(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    score(0.81, 0.81, 0.81)(made, entries)
    target = made.results / entries[0].path
    target.write_text(target.read_text()[:50])


def half_write_manifest(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    score(0.81, 0.81, 0.81)(made, entries)
    made.write(f"{entries[2].run.folder}/manifest.json", '{"weights": "abs')


def half_write_status(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    made.write(f"{entries[0].run.folder}/status.json", '{"state": "fai')


def leave_value_out(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    score(0.81, 0.81, 0.81)(made, entries)
    made.score(entries[0], map=None)


def start_without_weights(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    score(0.81, 0.81, 0.81)(made, entries)
    made.finish(entries[2].run, weights="absent")


def score_under_other_revision(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    for entry in entries:
        made.score(entry, map=0.81, protocol={"name": entry.protocol, "revision": 99})


def score_reranked(made: Made, entries: tuple[PlannedMetrics, ...]) -> None:
    for entry in entries:
        made.score(entry, map=0.81, reranking={"method": "k-reciprocal", "k1": 20})


CASES = [
    pytest.param(score(0.808, 0.81, 0.812), Status.REPRODUCED, 81.0, 0.0, id="reproduced"),
    pytest.param(score(0.83, 0.83, 0.83), Status.ABOVE, 83.0, 2.0, id="above"),
    pytest.param(score(0.79, 0.79, 0.791), Status.BELOW, 79.033333, -1.966667, id="below"),
    pytest.param(score(0.81, 0.81), Status.TOO_FEW_SEEDS, 81.0, 0.0, id="two of three seeds"),
    pytest.param(score(), Status.NOT_RUN, None, None, id="no file"),
    pytest.param(fail_second, Status.FAILED, 81.0, None, id="one run failed"),
    pytest.param(half_write_first, Status.DAMAGED, 81.0, None, id="one file half written"),
    pytest.param(half_write_manifest, Status.DAMAGED, 81.0, None, id="one manifest half written"),
    pytest.param(half_write_status, Status.DAMAGED, None, None, id="a status half written and no number"),
    pytest.param(leave_value_out, Status.DAMAGED, 81.0, None, id="one file without the value"),
    pytest.param(start_without_weights, Status.WEIGHTS_MISSING, 81.0, None, id="one run without its weights"),
    pytest.param(score_under_other_revision, Status.PROTOCOL_CHANGED, 81.0, None, id="another revision of the protocol"),
    pytest.param(score_reranked, Status.PROTOCOL_CHANGED, 81.0, None, id="re-ranked"),
]


@pytest.mark.parametrize(("arrange", "status", "mean", "difference"), CASES)
def test_cell_on_real_data_has_the_status_of_its_files(
    made: Made, arrange: Arrange, status: Status, mean: float | None, difference: float | None
) -> None:
    (made.root / "data/raw/mars").mkdir(parents=True)
    arrange(made, made.entries("paper", "map"))
    cell = cell_of(made, "paper", "mars-map")
    assert cell.status is status
    assert (cell.own.mean if cell.own else None) == mean
    assert cell.difference == difference
    assert cell.printed == 81.0


def test_failed_cell_tells_reason_and_run(made: Made) -> None:
    (made.root / "data/raw/mars").mkdir(parents=True)
    entries = made.entries("paper", "map")
    fail_second(made, entries)
    cell = cell_of(made, "paper", "mars-map")
    assert cell.detail == "1 of 3 runs failed: loss is not finite"
    assert cell.culprits == (entries[1].run.run_id,)


def test_synthetic_cell_is_never_set_against_the_print(made: Made) -> None:
    made.score(made.entries("demo", "map")[0], map=0.81)
    cell = cell_of(made, "demo", "mars-map")
    assert cell.status is Status.SYNTHETIC
    assert cell.own is not None
    assert cell.own.mean == 81.0
    assert cell.difference is None


@pytest.mark.parametrize(
    ("column", "status"), [("ls-vid-map", Status.NOT_RUN), ("gmacs", Status.NOT_RUN)], ids=["not in the suite", "not measured"]
)
def test_cell_without_a_run_is_not_run(made: Made, column: str, status: Status) -> None:
    assert cell_of(made, "demo", column).status is status


def test_cell_of_a_row_without_print_says_so(made: Made) -> None:
    made.score(made.entries("demo", "map", table="controls/table-1")[0], map=0.1)
    cell = cell_of(made, "demo", "mars-map", table="controls/table-1")
    assert (cell.status, cell.difference) == (Status.NOTHING_PRINTED, None)


def test_cell_without_data_says_so(made: Made) -> None:
    assert cell_of(made, "paper", "mars-map").status is Status.DATA_MISSING


def test_cell_without_method_says_so(made: Made) -> None:
    made.replace("papers/psformer/experiments.yaml", "method: resnet50", "method: unheard-of")
    assert cell_of(made, "demo", "mars-map").status is Status.METHOD_MISSING


def test_cell_of_withdrawn_data_says_so(made: Made) -> None:
    made.replace("suites/demo.yaml", "mars: demo-mars", "mars: dukemtmc-videoreid")
    assert cell_of(made, "demo", "mars-map").status is Status.DATA_WITHDRAWN


def test_cell_under_changed_settings_names_them(made: Made) -> None:
    (made.root / "data/raw/mars").mkdir(parents=True)
    made.replace("params.yaml", "    epochs: null", "    epochs: 2")
    score(0.81, 0.81, 0.81)(made, made.entries("paper", "map"))
    cell = cell_of(made, "paper", "mars-map")
    assert (cell.status, cell.detail, cell.difference) == (Status.SETTINGS_CHANGED, "train.epochs", None)


def test_cell_of_fewer_splits_than_the_protocol_averages_is_not_compared(made: Made) -> None:
    (made.root / "data/raw/ilids-vid").mkdir(parents=True)
    splits = "[split-0, split-1, split-2, split-3, split-4, split-5, split-6, split-7, split-8, split-9]"
    text = (made.root / "datasets.yaml").read_text()
    (made.root / "datasets.yaml").write_text(text.replace(splits, "[split-0]"))
    for entry in made.entries("paper", "rank1"):
        made.score(entry, rank1=0.833)
    cell = cell_of(made, "paper", "ilids-vid-rank1")
    assert (cell.status, cell.detail) == (Status.PROTOCOL_CHANGED, "ilids-mean10 is a mean over 10 splits, not 1")


def test_own_averages_splits_before_seeds(made: Made) -> None:
    (made.root / "data/raw/ilids-vid").mkdir(parents=True)
    for entry in made.entries("paper", "rank1"):
        split = int(entry.run.split.removeprefix("split-"))
        made.score(entry, rank1=0.5 + 0.01 * split + 0.02 * entry.run.seed)
    own = cell_of(made, "paper", "ilids-vid-rank1").own
    assert own is not None
    assert (own.mean, own.sd, own.seeds, own.splits, own.ci95) == (56.5, 2.0, 3, 10, None)  # no tables of queries


def test_own_leaves_out_a_seed_that_lacks_a_split(made: Made) -> None:
    (made.root / "data/raw/ilids-vid").mkdir(parents=True)
    entries = made.entries("paper", "rank1")
    for entry in entries:
        made.score(entry, rank1=0.9 if entry.run.seed == 1 else 0.5)
    missing = next(entry for entry in entries if entry.run.seed == 1 and entry.run.split == "split-4")
    (made.results / missing.path).unlink()
    cell = cell_of(made, "paper", "ilids-vid-rank1")
    assert cell.own is not None
    assert (cell.own.mean, cell.own.seeds, cell.status, cell.detail) == (50.0, 2, Status.TOO_FEW_SEEDS, "2 of 3 seeds so far")


COST = {"gmacs": 90.7, "gmacs_without_attention": 88.3, "parameters": 85_700_000, "ms_per_video": 90.0}
COST |= {"device": "cuda", "hardware": {"gpu": "a GPU", "cpu": "a processor"}}
RESNET, VIT_B = 0, 1  # their rows; ViT-B is printed with 88.9 GMACs


def measured(made: Made, suite: str, content: dict[str, Any] | str, row: int = VIT_B) -> None:
    """Write the cost file of a row."""
    plan = plan_table(made.catalog(suite), "psformer/table-1").cells[row][0].cost
    assert plan is not None
    made.write(plan.path, content)


@pytest.mark.parametrize("suite", ["demo", "paper"])
@pytest.mark.parametrize(
    ("column", "status", "difference", "detail"),
    [
        ("gmacs", Status.REPRODUCED, 1.8, "88.3 GMACs without attention products"),
        ("ms-per-video", Status.OTHER_HARDWARE, None, "on a GPU"),
    ],
)
def test_cost_is_compared_in_every_suite_and_a_time_in_none(
    made: Made, suite: str, column: str, status: Status, difference: float | None, detail: str
) -> None:
    measured(made, suite, COST)
    cell = cell_of(made, suite, column, VIT_B)
    assert (cell.status, cell.difference, cell.detail, cell.runs) == (status, difference, detail, ())


@pytest.mark.parametrize(("gmacs", "status"), [(86.0, Status.BELOW), (92.0, Status.ABOVE)])
def test_cost_off_by_more_than_the_conventions_is_told(made: Made, gmacs: float, status: Status) -> None:
    measured(made, "demo", COST | {"gmacs": gmacs})
    assert cell_of(made, "demo", "gmacs", VIT_B).status is status


def test_cost_that_a_setting_was_fitted_to_is_no_evidence(made: Made) -> None:
    plan = next(row[0] for row in plan_table(made.catalog(), "psformer/table-1").cells if row[0].row.experiment == "psformer-b")
    assert plan.cost is not None
    made.write(plan.cost.path, COST | {"gmacs": plan.printed})
    cell = judge_cell(plan, Desk(results=made.read()))
    assert (cell.status, cell.difference) == (Status.FITTED, None)
    assert not Status.FITTED.comparable


def test_time_taken_on_the_cpu_names_the_processor(made: Made) -> None:
    measured(made, "demo", COST | {"device": "cpu"})
    assert cell_of(made, "demo", "ms-per-video", VIT_B).detail == "on a processor"


def test_time_that_the_suite_does_not_take_is_not_run(made: Made) -> None:
    measured(made, "tiny", COST | {"ms_per_video": None}, RESNET)
    cell = cell_of(made, "tiny", "ms-per-video", RESNET)
    assert (cell.status, cell.detail, cell.own) == (Status.NOT_RUN, "the suite does not measure it", None)


def test_cost_of_a_damaged_file_says_so(made: Made) -> None:
    measured(made, "demo", '{"gmacs": ')
    cell = cell_of(made, "demo", "gmacs", VIT_B)
    assert cell.status is Status.DAMAGED
    assert "cost/" in cell.detail


def test_every_word_has_a_test_here() -> None:
    tested = {case.values[1] for case in CASES} | {
        Status.SYNTHETIC,
        Status.NOTHING_PRINTED,
        Status.SETTINGS_CHANGED,
        Status.OTHER_HARDWARE,
        Status.FITTED,
        Status.DATA_MISSING,
        Status.DATA_WITHDRAWN,
        Status.METHOD_MISSING,
    }
    assert tested == set(Status)
