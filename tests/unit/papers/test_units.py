"""Cost columns printed in units of their own: own figures are shown and compared in them."""

from pathlib import Path

import pytest

from report.made import Made
from reproid.catalog._yaml import validate
from reproid.catalog.papers import Column
from reproid.catalog.plan import plan_table
from reproid.errors import InputError
from reproid.report.status import Status
from reproid.report.tables import build_table

COST = {
    "gmacs": 32.6,
    "gmacs_without_attention": 32.6,
    "parameters": 25_600_000,
    "ms_per_video": 90.0,
    "hardware": {"gpu": "a GPU"},
}


def test_cost_printed_in_another_unit_is_divided_before_it_is_compared(project: Path) -> None:
    made = Made(root=project)
    plan = plan_table(made.catalog("paper"), "dcct/table-5").cells[0]
    made.write(next(cell.cost.path for cell in plan if cell.cost is not None), COST)
    cells = {cell.column: cell for cell in build_table(made.catalog("paper"), made.read(), "dcct/table-5").rows[0].cells}
    flops, parameters = cells["flops"], cells["parameters"]
    assert flops.own is not None
    assert parameters.own is not None
    assert (flops.own.mean, flops.printed, flops.status) == (3.26, 3.26, Status.REPRODUCED)
    assert parameters.own.mean == pytest.approx(24.414, abs=1e-3)
    assert parameters.status is Status.ABOVE


def test_accuracy_in_another_unit_is_refused() -> None:
    column = {"id": "map", "head": "mAP", "metric": "map", "dataset": "mars", "divide_by": 10}
    with pytest.raises(InputError, match="expected no divide_by for an accuracy metric"):
        validate(column, Column, where="table.yaml")
