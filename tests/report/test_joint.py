"""A table's means over splits and seeds are those of `reproid aggregate`, intervals and all."""

import pytest

from report.made import TABLE, Made
from report.scored import score
from reproid.report.tables import build_table
from reproid.retrieval.aggregate import aggregate
from reproid.retrieval.results import queries_path, read_result

METRICS = {"ilids-vid-rank1": "rank1", "mars-map": "map", "mars-rank1": "rank1"}


@pytest.mark.parametrize(
    ("data", "column", "splits"),
    [("ilids-vid", "ilids-vid-rank1", 10), ("mars", "mars-map", 1), ("mars", "mars-rank1", 1)],
    ids=["ten splits", "one split, mAP", "one split, rank-1"],
)
def test_cell_of_several_runs_is_what_aggregate_says(made: Made, data: str, column: str, splits: int) -> None:
    (made.root / "data/raw" / data).mkdir(parents=True)
    entries = made.entries("paper", METRICS[column])
    paths = [score(made, entry, look=False) for entry in entries]
    found = aggregate([read_result(path) for path in paths])
    numbers = build_table(made.catalog("paper"), made.read(), TABLE)
    own = next(cell.own for cell in numbers.rows[0].cells if cell.column == column)
    assert own is not None
    assert (own.splits, own.seeds) == (len(found.splits), len(found.seeds)) == (splits, 3)
    metric = METRICS[column]
    assert own.mean == pytest.approx(100 * found.mean[metric], abs=1e-6)
    assert own.sd == pytest.approx(100 * (found.sd_over_seeds[metric] or 0), abs=1e-6)
    assert own.ci95 == pytest.approx([100 * bound for bound in found.ci95[metric]], abs=1e-6)
    assert own.ci95[0] < own.mean < own.ci95[1]


def test_cell_of_several_runs_without_a_table_of_queries_has_no_interval(made: Made) -> None:
    (made.root / "data/raw/mars").mkdir(parents=True)
    paths = [score(made, entry, look=False) for entry in made.entries("paper", "map")]
    queries_path(paths[1]).unlink()
    own = build_table(made.catalog("paper"), made.read(), TABLE).rows[0].cells[2].own
    assert own is not None
    assert (own.seeds, own.ci95) == (3, None)
