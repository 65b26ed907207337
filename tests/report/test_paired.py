"""The tests of a table's rows against its baseline."""

import json

import pytest

from report.made import TABLE, Made
from report.pages import parse
from report.scored import score
from reproid.catalog.plan import PlannedMetrics
from reproid.report.paired import Test, table_tests
from reproid.report.site import write_report
from reproid.report.tables import build_table, table_json
from reproid.retrieval.compare import compare
from reproid.retrieval.results import queries_path
from reproid.retrieval.significance import holm

CONTROLS = "controls/table-1"


@pytest.fixture
def rows(made: Made) -> list[PlannedMetrics]:
    """Metrics files of three rows of a table: the baseline, one like it, one far better."""
    plan = build_table(made.catalog(), made.read(), CONTROLS).plan
    entries = list({entry.path: entry for row in plan.cells for entry in row[0].metrics}.values())[:3]
    for entry, noise in zip(entries, (3.0, 3.0, 0.3), strict=True):
        score(made, entry, noise=noise)
    return entries


def found_tests(made: Made) -> tuple[Test, ...]:
    results = made.read()
    return table_tests(build_table(made.catalog(), results, CONTROLS), results)


def test_table_tests_are_those_of_compare_corrected_for_the_whole_table(made: Made, rows: list[PlannedMetrics]) -> None:
    tests = found_tests(made)
    assert len(tests) == 8  # two rows, four metrics
    for entry, place in ((rows[1], 0), (rows[2], 4)):
        pair = compare(made.results / rows[0].path, made.results / entry.path)
        known = {difference.metric: difference for difference in pair.differences}
        for test, metric in zip(tests[place : place + 4], ("map", "rank1", "rank5", "minp"), strict=True):
            assert test.p == known[metric].p_permutation
            assert test.difference == pytest.approx(100 * known[metric].difference, abs=1e-6)
            assert test.ci95 == pytest.approx([100 * bound for bound in known[metric].ci95], abs=1e-6)
            assert (test.runs, test.seeds) == ((entry.run.run_id, rows[0].run.run_id), (1, 1))
    assert tuple(test.p_holm for test in tests) == holm([test.p for test in tests])
    assert tests[4].more_than_chance
    assert not any(test.more_than_chance for test in tests[:4])


def test_table_tests_leave_out_rows_without_queries_or_that_failed(made: Made, rows: list[PlannedMetrics]) -> None:
    queries_path(made.results / rows[1].path).unlink()
    assert {test.runs[0] for test in found_tests(made)} == {rows[2].run.run_id}
    made.fail(rows[2].run, "loss is not finite")
    assert found_tests(made) == ()


def test_table_tests_pair_the_splits_and_average_the_seeds(made: Made) -> None:
    (made.root / "data/raw/ilids-vid").mkdir(parents=True)
    made.replace("papers/psformer/tables/table-1.yaml", "experiment: vit-b", "experiment: controls/resnet50-untrained")
    for row, noise in ((0, 2.5), (1, 0.4)):
        for entry in made.entries("paper", "rank1", row=row):
            score(made, entry, noise=noise, look=False)
    numbers = build_table(made.catalog("paper"), made.read(), TABLE)
    (test,) = table_tests(numbers, made.read())
    base, other = (next(cell.own for cell in row.cells if cell.column == "ilids-vid-rank1") for row in numbers.rows[:2])
    assert base is not None
    assert other is not None
    assert test.difference == pytest.approx(other.mean - base.mean, abs=1e-6)
    assert (test.queries, test.persons, test.seeds) == (120, 12, (3, 3))
    assert test.more_than_chance


def test_table_file_and_page_hold_the_tests(made: Made, rows: list[PlannedMetrics]) -> None:
    results = made.read()
    numbers = build_table(made.catalog(), results, CONTROLS)
    content = json.loads(json.dumps(table_json(numbers, table_tests(numbers, results))))
    assert [test["p_holm"] for test in content["tests"]] == [test.p_holm for test in found_tests(made)]
    assert content["tests"][4]["more_than_chance"] is True
    write_report(made.catalog(), made.read(), made.root / "reports")
    text = parse(made.root / "reports/papers/controls.html").text
    for expected in (
        f"Is the difference from {numbers.rows[0].label}",
        "the 8 tests of this table",
        "may be chance",
        "1 seed, 12",
    ):
        assert expected in text
    assert "One seed tells whether these two models differ" in text
