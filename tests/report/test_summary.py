"""The table file and the summary: rebuilt from exactly the runs that the suite names."""

import json

import pytest

from report.made import TABLE, Made
from reproid.errors import InputError
from reproid.report.summary import build_summary
from reproid.report.tables import build_table, row_labels, table_json


def test_summary_holds_the_suites_runs_alone(made: Made) -> None:
    made.fill("demo")
    made.fill("tiny")
    summary = build_summary(made.catalog("demo"), made.read())
    assert list(summary["runs"]) == made.runs("demo")
    assert not set(made.runs("demo")) & set(made.runs("tiny"))
    assert {run["dataset"] for run in summary["runs"].values()} == {"demo-mars"}


def test_summary_of_a_run_has_its_metrics_as_fractions_and_its_experiments(made: Made) -> None:
    entry = made.entries("demo", "map")[0]
    made.score(entry, map=0.41234567, minp=None)
    run = build_summary(made.catalog(), made.read())["runs"][entry.run.run_id]
    assert run["experiments"] == "psformer/resnet50"
    assert (run["split"], run["seed"]) == ("official", 0)
    expected = {"revision": 1, "map": 0.412346, "rank1": 0.6, "rank5": 0.68, "rank10": 0.78, "rank20": 0.98}
    assert run["protocols"] == {"mars-standard": expected}


def test_summary_of_missing_and_damaged_files_is_null(made: Made) -> None:
    entry = made.entries("demo", "map")[0]
    made.write(entry.path, "{")
    summary = build_summary(made.catalog(), made.read())
    assert all(protocol is None for run in summary["runs"].values() for protocol in run["protocols"].values())
    values = [value for rows in summary["tables"].values() for row in rows.values() for value in row.values()]
    assert len(values) == made.numbers()[0] > 200
    assert set(values) == {None}


def test_summary_has_equal_bytes_each_time(made: Made) -> None:
    made.fill()
    first, second = (json.dumps(build_summary(made.catalog(), made.read())) for _ in range(2))
    assert first == second


def test_table_json_holds_every_cell_with_what_it_rests_on(made: Made) -> None:
    entry = made.entries("demo", "map")[0]
    made.score(entry)
    table = table_json(build_table(made.catalog(), made.read(), TABLE))
    assert (table["table"], table["suite"], len(table["rows"])) == (TABLE, "demo", 25)
    (column,) = [column for column in table["columns"] if column["id"] == "mars-map"]
    found = [column[key] for key in ("protocol", "revision", "used", "synthetic")]
    assert found == ["mars-standard", 1, "demo-mars", True]
    (cell,) = [cell for cell in table["rows"][0]["cells"] if cell["column"] == "mars-map"]
    assert cell == {
        "column": "mars-map",
        "printed": 81.0,
        "own": {"mean": 51.25, "sd": None, "seeds": 1, "splits": 1, "ci95": (45.0, 57.0)},
        "difference": None,
        "status": "synthetic: not comparable",
        "detail": "",
        "runs": [entry.run.run_id],
    }


def test_table_of_an_unknown_name_suggests_the_nearest(made: Made) -> None:
    with pytest.raises(InputError, match=r"unknown table.*got 'psformer/table1'.*Did you mean 'psformer/table-1'"):
        build_table(made.catalog(), made.read(), "psformer/table1")


def test_row_labels_tell_equal_rows_apart(made: Made) -> None:
    made.replace("papers/controls/tables/table-1.yaml", "labels: [ResNet-50, none]", "labels: [ResNet-50, as PSFormer's Table I]")
    labels = row_labels(made.catalog().table("controls/table-1"))
    assert labels[:2] == tuple(
        f"ResNet-50 / as PSFormer's Table I ({name})" for name in ("resnet50-untrained", "psformer/resnet50")
    )
