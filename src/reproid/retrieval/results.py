"""Reading back what an evaluation wrote: metrics/<protocol>.json and the table of its queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from reproid.catalog.protocols import Protocol
from reproid.errors import InputError
from reproid.files import read_json
from reproid.retrieval._parquet import read_columns
from reproid.retrieval.distances import Float64s
from reproid.retrieval.evaluation import SCHEMA, metric_values
from reproid.retrieval.inputs import MadeWith
from reproid.retrieval.intervals import Persons, by_person
from reproid.retrieval.tracklets import Ints, Strings

COLUMNS = ("tracklet_id", "pid", "camid", "ap", "inp", "first_hit_rank", "positives", "dropped")


@dataclass(frozen=True, kw_only=True)
class QueryTable:
    """The scored queries of one evaluation, in the order of their rows."""

    ids: Strings
    pids: Ints
    camids: Ints
    ap: Float64s
    inp: Float64s
    first_hit: Ints
    positives: Ints

    @cached_property
    def metrics(self) -> tuple[list[str], Float64s]:
        """Names of the metrics and their values [S, M] for each query."""
        return metric_values(self.ap, self.inp, self.first_hit)

    def persons(self) -> Persons:
        """Return the metrics summed over each person's queries."""
        return by_person(self.metrics[1], self.pids)


def join_splits(tables: Mapping[str, QueryTable]) -> QueryTable:
    """Return the queries of several splits as one table; a query's id then begins with its split's name.

    Means over it are those over splits where the splits have equally many queries, as those of iLIDS-VID and PRID-2011 do.
    """
    names = ("pids", "camids", "ap", "inp", "first_hit", "positives")
    ids = [np.array([f"{split}/{name}" for name in table.ids.tolist()], np.str_) for split, table in tables.items()]
    columns = {name: np.concatenate([getattr(table, name) for table in tables.values()]) for name in names}
    return QueryTable(ids=np.concatenate(ids), **columns)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One metrics file."""

    path: Path
    protocol: Protocol
    made: MadeWith
    reranking: dict[str, Any] | None
    values: dict[str, float]
    """map, minp, rank1, rank5, rank10, rank20; fractions."""
    counts: dict[str, int]
    """queries, scored, gallery."""

    @cached_property
    def queries(self) -> QueryTable:
        """The scored queries, read when they are first asked for."""
        return read_queries(queries_path(self.path))


def queries_path(path: Path) -> Path:
    """Return where the queries of the metrics file ``path`` are."""
    return path.with_name(f"{path.stem}.queries.parquet")


def read_result(path: Path | str) -> Result:
    """Read one metrics file as `reproid evaluate` wrote it.

    Raises:
        InputError: names the file and the key that is missing or wrong.
    """
    path = Path(path)
    content = read_json(path)
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        got = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise InputError("not a metrics file of this version", where=path, expected=f"schema {SCHEMA}", got=got)
    try:
        named = content["protocol"]
        definition = {**named["definition"], "name": named["name"], "revision": named["revision"]}
        return Result(
            path=path,
            # JSON has lists where the record has tuples.
            protocol=Protocol.model_validate_json(_json(definition)),
            made=MadeWith(**content["made_with"]),
            reranking=content["reranking"],
            values={name: float(content[name]) for name in ("map", "minp", "rank1", "rank5", "rank10", "rank20")},
            counts={name: int(content["counts"][name]) for name in ("queries", "scored", "gallery")},
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError(f"not a complete metrics file ({error})", where=path, fix="Run reproid evaluate again") from error


def read_queries(path: Path | str) -> QueryTable:
    """Read the scored queries from <name>.queries.parquet.

    Raises:
        InputError: names the file and the column that is missing.
    """
    values = read_columns(path, COLUMNS, fix="reproid evaluate writes it beside the metrics file")
    scored = [place for place, reason in enumerate(values["dropped"]) if reason is None]
    columns = {name: [values[name][place] for place in scored] for name in COLUMNS}
    try:
        return QueryTable(
            ids=np.array(columns["tracklet_id"], np.str_),
            pids=np.array(columns["pid"], np.int64),
            camids=np.array(columns["camid"], np.int64),
            ap=np.array(columns["ap"], np.float64),
            inp=np.array(columns["inp"], np.float64),
            first_hit=np.array(columns["first_hit_rank"], np.int64),
            positives=np.array(columns["positives"], np.int64),
        )
    except (TypeError, ValueError) as error:
        raise InputError("a scored query lacks a value", where=path, fix="Run reproid evaluate again") from error


def _json(value: object) -> str:
    import json

    return json.dumps(value)
