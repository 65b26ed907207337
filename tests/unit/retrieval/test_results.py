import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reproid.catalog.protocols import get_protocol
from reproid.errors import InputError
from reproid.retrieval.evaluation import Options, evaluate, write_evaluation
from reproid.retrieval.inputs import read_distances
from reproid.retrieval.results import read_queries, read_result


@pytest.fixture
def written(tmp_path, distance_file):
    evaluation = evaluate(read_distances(distance_file), get_protocol("mars-standard"), Options(resamples=0))
    write_evaluation(evaluation, tmp_path / "m.json")
    return tmp_path / "m.json", evaluation


def test_read_result_returns_what_was_written(written) -> None:
    path, evaluation = written
    result = read_result(path)
    scored = evaluation.queries.scored
    assert result.protocol == get_protocol("mars-standard")
    assert result.values["map"] == evaluation.map
    assert result.queries.ap.tobytes() == evaluation.queries.ap[scored].tobytes()
    assert result.queries.first_hit.tolist() == evaluation.queries.first_hit[scored].tolist()
    assert result.queries.pids.tolist() == evaluation.selection.queries.pids[scored].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c | {"schema": 99}, "not a metrics file of this version; expected schema 1, got 99"),
        (lambda c: [c], "not a metrics file of this version; expected schema 1, got list"),
        (
            lambda c: {k: v for k, v in c.items() if k != "map"},
            r"not a complete metrics file \('map'\). Run reproid evaluate again",
        ),
        (lambda c: c | {"made_with": {"colour": 1}}, "not a complete metrics file .*colour"),
        (lambda c: c | {"protocol": c["protocol"] | {"definition": {}}}, "not a complete metrics file .*summary"),
    ],
    ids=["schema", "list", "missing", "made_with", "definition"],
)
def test_read_result_damaged_names_what_is_wrong(written, change, message) -> None:
    path, _ = written
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError, match=rf"m\.json: {message}"):
        read_result(path)


def test_read_queries_damaged_names_what_is_wrong(tmp_path, written) -> None:
    path = written[0].with_name("m.queries.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["inp"]), tmp_path / "short.parquet")
    with pytest.raises(InputError, match="short.parquet: column 'inp' is missing; got tracklet_id, pid"):
        read_queries(tmp_path / "short.parquet")
    table = pq.read_table(path)
    holed = table.set_column(table.column_names.index("first_hit_rank"), "first_hit_rank", pa.nulls(len(table), pa.int32()))
    pq.write_table(holed, tmp_path / "holed.parquet")
    with pytest.raises(InputError, match="holed.parquet: a scored query lacks a value"):
        read_queries(tmp_path / "holed.parquet")
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="m.queries.parquet: not a Parquet file, or damaged"):
        read_queries(path)
    path.unlink()
    with pytest.raises(InputError, match="m.queries.parquet: file not found"):
        read_queries(path)


def test_queries_table_columns_are_those_of_the_interface(written) -> None:
    schema = pq.read_schema(written[0].with_name("m.queries.parquet"))
    assert {"tracklet_id", "ap", "first_hit_rank", "positives"} <= set(schema.names)
    assert schema.field("ap").type == pa.float64()
