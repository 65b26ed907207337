"""The first places of each ranking as a file, <name>.rankings.parquet: what galleries of pictures are made from."""

from pathlib import Path

import numpy as np

from reproid.files import atomic_path
from reproid.retrieval._parquet import read_columns
from reproid.retrieval.inspection import Rankings


def rankings_path(metrics: Path) -> Path:
    """Return where the rankings of a metrics file are."""
    return metrics.with_name(f"{metrics.stem}.rankings.parquet")


def write_rankings(rankings: Rankings, path: Path | str) -> None:
    """Write one row per place: query_id, rank (from 1), gallery_id, correct, distance."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths = [len(row) for row in rankings.gallery_ids]
    table = pa.table(
        {
            "query_id": pa.array(np.repeat(np.array(rankings.query_ids, np.str_), lengths).tolist(), pa.string()),
            "rank": pa.array([rank for n in lengths for rank in range(1, n + 1)], pa.int32()),
            "gallery_id": pa.array([name for row in rankings.gallery_ids for name in row], pa.string()),
            "correct": pa.array([value for row in rankings.correct for value in row], pa.bool_()),
            "distance": pa.array([value for row in rankings.distances for value in row], pa.float64()),
        }
    )
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_rankings(path: Path | str) -> Rankings:
    """Read what `write_rankings` wrote; a query with an empty ranking is not in it.

    Raises:
        InputError: names the file and what is wrong with it.
    """
    rows = read_columns(path, ("query_id", "gallery_id", "correct", "distance"), fix="Write it by reproid evaluate --rankings 10")
    names = list(dict.fromkeys(rows["query_id"]))
    places: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(rows["query_id"]):
        places[name].append(place)
    return Rankings(
        query_ids=tuple(names),
        gallery_ids=tuple(tuple(rows["gallery_id"][i] for i in places[name]) for name in names),
        correct=tuple(tuple(rows["correct"][i] for i in places[name]) for name in names),
        distances=tuple(tuple(rows["distance"][i] for i in places[name]) for name in names),
    )
