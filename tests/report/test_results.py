"""Result files: there, absent or damaged; never half read."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reproid.report.results import Cost, Damaged, Metrics, Results

COUNTS = {"queries": 3, "scored": 2, "dropped": {"x": 1}, "gallery": 9}
GOOD = {"schema": 1, "protocol": {"name": "p", "revision": 2}, "counts": COUNTS, "map": 0.5}


def results_with(folder: Path, text: str, name: str = "m.json") -> Results:
    (folder / name).write_text(text, encoding="utf-8")
    return Results(folder)


def test_metrics_of_a_good_file_are_its_values(tmp_path: Path) -> None:
    read = results_with(tmp_path, json.dumps(GOOD | {"rank1": 1, "ci95": {"map": [0.4, 0.6]}, "more": "kept"})).metrics("m.json")
    assert isinstance(read, Metrics)
    assert (read.value("map"), read.value("rank1"), read.value("rank5")) == (0.5, 1.0, None)
    assert read.ci95["map"] == (0.4, 0.6)
    assert read.counts.dropped == {"x": 1}


def test_metrics_of_a_missing_file_are_none(tmp_path: Path) -> None:
    assert Results(tmp_path).metrics("m.json") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "not a JSON file", id="empty"),
        pytest.param(json.dumps(GOOD)[:40], "not a JSON file", id="half written"),
        pytest.param("\x00\x01", "not a JSON file", id="binary"),
        pytest.param("[" * 100_000, "not a JSON file", id="nested without end"),
        pytest.param("[]", "the file", id="not an object"),
        pytest.param(json.dumps(GOOD | {"map": 1.5}), "map: input should be less than or equal to 1", id="above 1"),
        pytest.param(json.dumps(GOOD | {"map": "NaN"}), "map: input should be a finite number", id="not a number"),
        pytest.param('{"schema": 1, "map": NaN}', "protocol: field required", id="NaN and no protocol"),
        pytest.param(json.dumps(GOOD | {"schema": 2}), "schema: input should be 1", id="another schema"),
        pytest.param(
            json.dumps({key: GOOD[key] for key in ("schema", "protocol", "map")}), "counts: field required", id="no counts"
        ),
    ],
)
def test_metrics_of_a_damaged_file_say_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    read = results_with(tmp_path, text).metrics("m.json")
    assert isinstance(read, Damaged)
    assert str(read).startswith(f"m.json: {reason}")


@given(st.binary(max_size=200))
@example(b"null")
def test_metrics_of_any_bytes_are_damaged_or_whole(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "m.json").write_bytes(content)
    assert isinstance(Results(folder).metrics("m.json"), Damaged)


def test_cost_is_in_the_units_of_tables(tmp_path: Path) -> None:
    read = results_with(tmp_path, '{"gmacs": 32.4, "parameters": 25600000, "ms_per_video": 8}', "cost.json").cost("./cost.json")
    assert isinstance(read, Cost)
    assert [read.value(name) for name in ("gmacs", "parameters", "ms_per_video")] == [32.4, 25.6, 8.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"state": "failed", "reason": "boom"}', "boom", id="failed"),
        pytest.param('{"state": "failed", "reason": null}', "no reason given", id="failed without a reason"),
        pytest.param('{"state": "done", "reason": null}', None, id="done"),
        pytest.param('{"state": "interrupted", "reason": "SIGTERM"}', None, id="interrupted"),
        pytest.param('{"state": "fai', None, id="half written"),
    ],
)
def test_failure_is_what_the_status_says(tmp_path: Path, text: str, expected: str | None) -> None:
    assert results_with(tmp_path, text, "status.json").failure(".") == expected


@pytest.mark.parametrize(
    ("text", "rows", "incomplete"),
    [
        pytest.param("epoch,loss\n1,2\n2,1.5\n", ((1.0, 2.0), (2.0, 1.5)), False, id="whole"),
        pytest.param("epoch,loss\n1,2\n2,1.", ((1.0, 2.0),), True, id="last number cut"),
        pytest.param("epoch,loss\n1,2\n2\n", ((1.0, 2.0),), True, id="last line short"),
        pytest.param("epoch,loss\n1,nan\n2,\n", ((1.0, None), (2.0, None)), False, id="no finite number"),
        pytest.param("epoch,loss\n", (), False, id="no epoch"),
    ],
)
def test_history_leaves_out_a_cut_line_alone(tmp_path: Path, text: str, rows: object, incomplete: bool) -> None:
    read = results_with(tmp_path, text, "history.csv").history(".")
    assert read is not None
    assert not isinstance(read, Damaged)
    assert (read.columns, read.rows, read.incomplete) == (("epoch", "loss"), rows, incomplete)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"epoch,loss\n1\n2,3\n", "lines with other than 2 fields", id="a short line inside"),
        pytest.param(b"epoch,loss\n\xff\xfe,1\n", "not a CSV file", id="no text"),
    ],
)
def test_history_of_a_damaged_file_says_so(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "history.csv").write_bytes(content)
    read = Results(tmp_path).history(".")
    assert isinstance(read, Damaged)
    assert read.reason.startswith(reason)
