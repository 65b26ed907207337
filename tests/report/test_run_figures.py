"""Figures of a run and of a paper, from files as `reproid embed` leaves them."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from report.made import Made
from reproid.catalog._yaml import load_yaml
from reproid.catalog.papers import Figure, Table
from reproid.errors import InputError
from reproid.report.model import Report, load_report
from reproid.report.pages._curves import history_charts
from reproid.report.pages._figures import scatter, series_charts
from reproid.report.pages._paper_figures import figure_views, table_curves
from reproid.report.pages.paper import paper_view
from reproid.report.pages.run import run_view
from reproid.report.render import Page, render
from reproid.report.results import History
from reproid.report.run_figures import Point, RunFigures

MASK = {"kind": "mask", "rows": 2, "columns": 1, "values": [[1, 1], [0, 1]]}
HEAT = {"kind": "heat", "rows": 2, "columns": 1, "values": [[1.0, -2.0], [0.0, 0.5]]}
EXAMPLE = {"tracklet_id": "<i>0001</i>", "clip": 0, "positions": [0, 1], "height": 32, "width": 16, "frames": ["R0hJ", "SktM"]}
EXAMPLE |= {"maps": {"selected": MASK, "eigenvector": HEAT}}
POINTS = [
    {"tracklet_id": f"t{at}", "pid": at // 2, "camid": at % 2, "x": float(at), "y": float(-at)} for at in range(10)
]  # five persons: the fifth has the first one's colour and another shape
CONTENT: dict[str, Any] = {"schema": 1, "run_id": "x", "clips": 7, "gmacs": 1.25, "points": POINTS, "examples": [EXAMPLE]}
CONTENT["means"] = {"kept_frame_1": 0.25, "kept_frame_2": 0.5, "open_block_1": 1.0, "open_block_2": 0.0}
SUITE = "demo"
HISTORY = "epoch,lr,loss,accuracy,stage,error\n1,0.1,4,0.1,1,\n2,0.1,3,0.2,1,\n3,0.1,5,0.1,2,0.5\n4,0.1,2,0.6,2,0.25\n"


@pytest.fixture
def drawn(made: Made) -> Made:
    """A finished PSFormer-B and a finished ResNet-50 of the demo with figures, one with a history of two stages."""
    for row, at in (("psformer-b", 2), ("resnet50", 0)):
        (entry,) = made.entries(SUITE, "map", row=at)
        made.score(entry)
        content = CONTENT if row == "psformer-b" else CONTENT | {"means": {}, "examples": []}
        made.write(f"{entry.run.folder}/figures/dense.json", json.dumps(content))
        made.write(f"{entry.run.folder}/history.csv", HISTORY if row == "psformer-b" else "epoch,lr,loss,accuracy\n1,0.1,4,0.1\n")
    return made


def _report(made: Made, frames_of: tuple[str, ...] = ()) -> Report:
    return load_report(made.catalog(SUITE), made.read(), frames_of=frames_of)


def _run_page(report: Report, experiment: str = "psformer/psformer-b") -> str:
    record = next(record for record in report.runs.values() if experiment in record.experiments and record.state == "done")
    return render(Page(path="runs/x.html", template="run", title="x", view=run_view(report, record), suite=SUITE))


def _paper_page(report: Report) -> str:
    return render(Page(path="papers/x.html", template="paper", title="x", view=paper_view(report, "psformer"), suite=SUITE))


def test_run_page_shows_masks_heat_maps_shares_and_points(drawn: Made) -> None:
    html = _run_page(_report(drawn))
    assert html.count('class="picked"') == 3, "two patches of frame 1, one of frame 2"
    assert '<rect class="picked" x="0" y="16" width="16" height="16" opacity="0.50"/>' in html
    assert '<rect class="below" x="0" y="16" width="16" height="16" opacity="0.90"/>' in html, "the strongest of the clip"
    assert '<rect class="above" x="0" y="0" width="16" height="16" opacity="0.45"/>' in html
    assert "frame 1; 2 of 2 selected" in html
    assert "kept over the frame: 0.25 at frame 1, 0.5 at frame 2." in html
    assert "open over the block: 1 at block 1, 0 at block 2." in html
    assert "Means over 7 test clips; a test clip costs 1.250 GMACs at these shares." in html
    assert "t-SNE of 10 descriptors of 5 persons" in html
    assert "<i>0001</i>" not in html
    assert html.count("data:image/jpeg;base64,R0hJ") == 1


def test_run_page_without_figures_says_nothing_of_them(made: Made) -> None:
    (entry,) = made.entries(SUITE, "map", row=2)
    made.score(entry)
    assert "What it sees" not in _run_page(_report(made))


@pytest.mark.parametrize(
    "change",
    [
        {"frames": ['" onload=alert(1)', "SktM"]},
        {"maps": {"selected": MASK | {"values": [[1], [0]]}}},
        {"maps": {"selected": MASK | {"values": [[1, 1]]}}},
    ],
    ids=["no picture", "too few values", "too few frames"],
)
def test_damaged_figures_are_not_drawn(drawn: Made, change: dict[str, Any]) -> None:
    (entry,) = drawn.entries(SUITE, "map", row=2)
    drawn.write(f"{entry.run.folder}/figures/dense.json", json.dumps(CONTENT | {"examples": [EXAMPLE | change]}))
    html = _run_page(_report(drawn))
    assert "What it sees" not in html
    assert "onload" not in html


@pytest.mark.parametrize("public", [True, False])
def test_frames_of_a_real_data_set_are_shown_where_the_user_says_so_alone(drawn: Made, public: bool) -> None:
    report = _report(drawn)
    real = report.catalog.datasets["demo-mars"].model_copy(update={"source": "real"})
    report.catalog.datasets["demo-mars"] = real
    report = Report(**vars(report) | {"frames_of": frozenset() if public else frozenset({"demo-mars"})})
    for html in (_run_page(report), _paper_page(report)):
        assert ("data:image/jpeg;base64,R0hJ" in html) is not public
        assert ('class="picked"' in html) is not public, "a mask is a picture of the person too"
        assert "t-SNE of 10 descriptors" in html
    assert ("Clips with the method’s maps are left out" in _run_page(report)) is public


def test_paper_page_draws_its_figures_from_the_runs_that_exist(drawn: Made) -> None:
    report = _report(drawn)
    views = {view.id: view for view in figure_views(report, "psformer")}
    assert list(views) == ["figure-2", "figure-3", "figure-4", "figure-6"]
    (selected,), (eigenvector,) = views["figure-2"].parts, views["figure-4"].parts
    assert [len(frame.masks[0].cells) for frame in selected.clips[0].frames] == [2, 1]
    assert not any(frame.heats for frame in selected.clips[0].frames)
    assert [len(frame.heats[0].cells) for frame in eigenvector.clips[0].frames] == [2, 1]
    assert [part.scatter is not None for part in views["figure-6"].parts] == [True, True]
    assert all(view.synthetic for view in views.values())
    html = _paper_page(report)
    assert "Drawn from synthetic people: not comparable with the printed figure." in html
    assert "Figure 5. Accuracy over the weight of the error constraint" in html
    assert "Table VIII. " in html


def test_paper_page_without_runs_says_so(made: Made) -> None:
    views = {view.id: view for view in figure_views(_report(made), "psformer")}
    assert views["figure-3"].problem == views["figure-2"].parts[0].problem == "No run of it yet."


def test_convergence_is_broken_where_the_second_stage_begins(drawn: Made) -> None:
    figure = next(view for view in figure_views(_report(drawn), "psformer") if view.id == "figure-3")
    loss, accuracy = figure.charts
    assert (loss.title, accuracy.title) == ("loss", "accuracy")
    assert loss.lines[0].label == "psformer-b"
    assert loss.lines[0].path.count("M") == 2
    assert [run.text for run in figure.runs] == ["psformer-b, seed 0"]


def test_history_of_two_stages_has_a_curve_per_stage() -> None:
    rows = ((1.0, 4.0, 1.0, None), (2.0, 3.0, 1.0, None), (3.0, 5.0, 2.0, 0.5), (4.0, 2.0, 2.0, 0.25))
    charts, _ = history_charts(History(columns=("epoch", "loss", "stage", "error"), rows=rows, incomplete=False))
    loss, error = charts
    assert [line.label for line in loss.lines] == ["stage 1", "stage 2"]
    assert loss.last == "last 2"
    assert [line.label for line in error.lines] == ["stage 2"]
    one = tuple((*row[:2], 2.0) for row in rows)
    (single,), _ = history_charts(History(columns=("epoch", "loss", "stage"), rows=one, incomplete=False))
    assert [line.label for line in single.lines] == ["loss"]


def test_sweep_is_drawn_over_the_cost_of_the_runs_own_clips(made: Made) -> None:
    made.replace("suites/demo.yaml", "tables: [psformer/table-1, ", "tables: [psformer/table-1, psformer/table-8, ")
    made.replace(
        "suites/demo.yaml", "  psformer/vit-s: [mars]\n", "  psformer/threshold-0.4: [mars]\n  psformer/threshold-0.9: [mars]\n"
    )
    for row, gmacs, map_ in ((0, 3.0, 0.5), (1, 2.0, 0.4), (5, 1.0, 0.25)):
        (entry,) = made.entries(SUITE, "map", table="psformer/table-8", row=row)
        made.score(entry, map=map_)
        made.write(f"{entry.run.folder}/figures/dense.json", json.dumps(CONTENT | {"gmacs": gmacs}))
    report = _report(made)
    table = next(table for table in report.tables if table.name == "psformer/table-8")
    printed, own = table_curves(report, table)
    assert (printed.title, own.title) == ("Printed, points", "Own, points")
    assert [line.label for line in own.lines] == ["mAP", "rank-1"]
    assert printed.lines[0].path.count("L") == 5
    assert own.lines[0].path.count("L") == 2
    assert len(own.lines[0].dots) == 3
    assert own.x_label == "GMACs of a clip"
    page = _run_page(report, "psformer/threshold-0.9")
    training = made.entries(SUITE, "map", table="psformer/table-8", row=1)[0].run.run_id
    assert f'<a href="../runs/{training}.html">that of {training}</a>' in page
    assert (own.x_ticks[0].text, own.x_ticks[-1].text) == ("1", "3")
    assert next(table for table in report.tables if table.name == "psformer/table-7") is not None
    assert table_curves(report, next(table for table in report.tables if table.name == "psformer/table-7")) == ()


def test_points_of_a_person_share_colour_and_shape() -> None:
    found = scatter(tuple(Point.model_validate(point) for point in POINTS))
    assert found is not None
    kinds = [(mark.shade, mark.shape) for mark in found.marks]
    assert kinds[0] == kinds[1] == (1, "circle")
    assert kinds[8] == (1, "square")
    assert len(set(kinds)) == 5
    assert all(0 < float(mark.x) < 320 and 0 < float(mark.y) < 320 for mark in found.marks)
    assert scatter(()) is None


def test_means_that_are_no_series_have_no_chart() -> None:
    assert series_charts(RunFigures.model_validate(CONTENT | {"means": {"share": 0.5}})) == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[psformer-b]", "[psformer-bee]", "unknown experiment"),
        ("dataset: mars", "dataset: marz", r"figure-2\.yaml: unknown data set"),
        ("id: figure-2", "id: figure-7", "id differs from the name on disk"),
        ("names: [selected]\n", "", "names of maps or columns, and none for points"),
    ],
)
def test_figure_with_a_mistake_is_refused(made: Made, old: str, new: str, message: str) -> None:
    made.replace("papers/psformer/figures/figure-2.yaml", old, new)
    with pytest.raises(InputError, match=message):
        made.catalog(SUITE)


def test_table_over_gmacs_needs_such_a_column() -> None:
    path = Path(__file__).resolve().parents[2] / "papers/psformer/tables/table-10.yaml"
    table = load_yaml(path, Table)
    with pytest.raises(ValidationError, match="a column of gmacs to draw curves over"):
        Table.model_validate(table.model_dump() | {"over": "gmacs"})
    assert Figure.model_fields["shows"].is_required()
