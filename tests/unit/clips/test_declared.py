"""A run is trained and described on the data of its declaration, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reproid.catalog.datasets import Obtain, RealDataSet
from reproid.catalog.runs import Run
from reproid.clips.declared import check_declared
from reproid.datasets.index import Index, load_index
from reproid.errors import InputError
from reproid.files import write_json
from support.tracklets import Places, small_run, write_tracklets

RUN = small_run()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return write_tracklets(tmp_path)


def _marker(places: Places, **changes: Any) -> dict[str, Any]:
    identity = RUN.data.identity()
    counts = load_index(places.index).counts()
    return {name: identity[name] for name in ("layout", "renderer_revision", "spec")} | {"counts": counts} | changes


def _real(counts: dict[str, int]) -> Run:
    obtain = Obtain(page="https://example.org", how="ask")
    data = RealDataSet(title="noise", layout="mars", licence="none", source="real", obtain=obtain, counts=counts)
    return RUN.model_copy(update={"data": data})


def test_check_declared_the_same_declaration_passes(places: Places) -> None:
    write_json(places.data / "synthetic.json", _marker(places))
    check_declared(RUN, load_index(places.index), places.data)
    check_declared(_real({"train_persons": 4}), load_index(places.index), _without_marker(places))


def _without_marker(places: Places) -> Path:
    (places.data / "synthetic.json").unlink(missing_ok=True)
    return places.data


def _other_spec(marker: dict[str, Any]) -> dict[str, Any]:
    return marker | {"spec": marker["spec"] | {"seed": 5, "noise": 0.5}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda marker: marker | {"renderer_revision": marker["renderer_revision"] - 1},
            r"data of another declaration; expected renderer revision {revision} \(run {run}\), got renderer revision {older}\.",
        ),
        (_other_spec, r"data of another declaration; expected seed 0, noise 1\.0 \(run {run}\), got seed 5, noise 0\.5\."),
        (lambda marker: marker | {"layout": "prid-2011"}, r"expected layout mars \(run {run}\), got layout prid-2011"),
        (
            lambda marker: marker | {"counts": marker["counts"] | {"train_tracklets": 99}},
            r"the index is not of these data; expected train_tracklets 99 \(run {run}\), got train_tracklets 16\.",
        ),
        (lambda marker: {"schema": 1}, r"synthetic\.json: not the marker of a rendered set"),
    ],
    ids=["renderer", "parameters", "layout", "index", "damaged"],
)
def test_check_declared_other_rendered_data_are_refused(
    places: Places, change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    write_json(places.data / "synthetic.json", change(_marker(places)))
    revision = RUN.data.identity()["renderer_revision"]
    with pytest.raises(InputError, match=message.format(run=RUN.run_id, revision=revision, older=revision - 1)):
        check_declared(RUN, load_index(places.index), places.data)


def test_check_declared_unfinished_rendering_of_others_is_refused(places: Places) -> None:
    write_json(places.data / "synthetic.spec.json", _other_spec(_marker(places)))
    with pytest.raises(InputError, match=r"data of another declaration; expected seed 0"):
        check_declared(RUN, load_index(places.index), places.data)


def test_check_declared_rendered_in_place_of_real_data_is_refused(places: Places) -> None:
    write_json(places.data / "synthetic.json", _marker(places))
    with pytest.raises(InputError, match=r"data: rendered data in place of real ones; expected the data set noise"):
        check_declared(_real({}), load_index(places.index), places.data)


def test_check_declared_other_counts_of_real_data_are_refused(places: Places) -> None:
    with pytest.raises(
        InputError, match=r"the index is of other data; expected train_persons 625 \(run .*\), got train_persons 4"
    ):
        check_declared(_real({"train_persons": 625, "fact_of_the_layout": 3}), load_index(places.index), places.data)


def test_check_declared_index_of_another_data_set_is_refused(places: Places) -> None:
    index: Index = replace(load_index(places.index), dataset="mars")
    with pytest.raises(
        InputError, match=rf"run {RUN.run_id}: index of another data set; expected noise, got mars\. Name the data"
    ):
        check_declared(RUN, index, places.data)
