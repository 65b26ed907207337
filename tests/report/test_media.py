"""Groups of pictures on a data set's page, from the files of `reproid media`."""

import json
from dataclasses import replace

from report.made import Made
from reproid.catalog.plan import plan_suite, planned_media
from reproid.report.model import load_report
from reproid.report.pages.dataset import dataset_view
from reproid.report.render import Page, render

QUALITY = {"clips": 1200, "p_frames": 8400, "intra": 0.0625, "psnr_db": 23.456, "psnr_still_db": 14.0, "motion_px": 3.25}
P_FRAME = {"picture": "QUJD", "residual": "REVG", "motion": [[4.0, -2.5], [0.0, 0.0]], "valid": [True, False], "energy": 12.5}
EXAMPLE = {"tracklet_id": "<b>7</b>", "height": 16, "width": 32, "i_frame": "R0hJ", "p_frames": [P_FRAME]}


def _page(made: Made, examples: object) -> str:
    catalog = made.catalog("tiny")
    method = catalog.methods["resnet50"].model_copy(update={"requires": frozenset({"gop"})})
    sixteen = catalog.suite.overrides.model_copy(update={"clips": catalog.suite.overrides.clips.model_copy(update={"width": 16})})
    suite = catalog.suite.model_copy(update={"overrides": sixteen})
    catalog = replace(catalog, methods=catalog.methods | {"resnet50": method}, suite=suite)
    plan = next(iter(planned_media(plan_suite(catalog)).values()))
    made.write(f"{plan.folder}/media.json", {"quality": QUALITY, "methods": {"grid": QUALITY | {"psnr_db": 19.0}}})
    made.write(f"{plan.folder}/examples.json", json.dumps(examples))
    view = dataset_view(load_report(catalog, made.read(), frames_of=()), plan.dataset)
    return render(Page(path=f"datasets/{plan.dataset}.html", template="dataset", title="x", view=view, suite="tiny"))


def test_page_shows_every_method_and_the_clips(made: Made) -> None:
    html = _page(made, [EXAMPLE])
    assert "h264-pairs, all clips" in html
    for shown in ("1\u202f200", "6.25", "23.46", "19.00", "14.00", "3.25"):
        assert shown in html, shown
    assert '<line x1="8" y1="8" x2="12" y2="5.5" stroke="#ffd400"/>' in html
    assert '<line x1="24" y1="8" x2="24" y2="8" stroke="#ff2d2d"/>' in html
    assert "data:image/jpeg;base64,R0hJ" in html
    assert "<b>7</b>" not in html


def test_page_with_damaged_examples_shows_the_numbers_alone(made: Made) -> None:
    html = _page(made, [EXAMPLE | {"i_frame": '" onload=alert(1)'}])
    assert "23.46" in html
    assert "onload" not in html


def test_page_without_media_says_nothing_of_them(made: Made) -> None:
    view = dataset_view(load_report(made.catalog("tiny"), made.read(), frames_of=()), "tiny-mars")
    assert view.media == ()
