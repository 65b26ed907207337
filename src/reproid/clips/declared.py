"""Are the data those that a run is declared on? A run id holds their declaration; a folder given by hand may hold others."""

from pathlib import Path
from typing import Any

from reproid.catalog.datasets import SyntheticDataSet
from reproid.catalog.runs import Run
from reproid.datasets.index import Index
from reproid.errors import InputError
from reproid.files import read_json
from reproid.synthetic import COMPLETE, DECLARED

_FIX = "Name the data of the run, or plan a run on these: it gets another id"


def check_declared(run: Run, index: Index, data: Path) -> None:
    """Hold the index and the data against the declaration in run.json.

    Rendered data are told by the marker in their folder: layout, renderer's revision, parameters and counts; where somebody
    removed it, by nothing but the index's name. Real data are told by the counts declared for them, and by having no marker.

    Raises:
        InputError: if they differ; names what the run is declared on and what is there.
    """
    if index.dataset != run.dataset:
        raise InputError(
            "index of another data set", where=f"run {run.run_id}", expected=run.dataset, got=index.dataset, fix=_FIX
        )
    if not data.is_dir():
        raise InputError("data folder not found", where=data, fix="Point --data to the folder of the images")
    marker = _marker(data)
    if isinstance(run.data, SyntheticDataSet):
        declared = {**run.data.identity()["spec"], "layout": run.data.layout, "renderer revision": run.data.renderer_revision}
        if marker:
            found = {**marker["spec"], "layout": marker["layout"], "renderer revision": marker["renderer_revision"]}
            _compare("data of another declaration", declared, found, run, data)
            _compare("the index is not of these data", marker.get("counts", {}), index.counts(), run, data)
    elif marker:
        raise InputError("rendered data in place of real ones", where=data, expected=f"the data set {run.dataset}", fix=_FIX)
    else:
        _compare("the index is of other data", dict(run.data.counts), index.counts(), run, data)


def _marker(data: Path) -> dict[str, Any] | None:
    found = next((data / name for name in (COMPLETE, DECLARED) if (data / name).is_file()), None)
    if found is None:
        return None
    marker = read_json(found)
    if not isinstance(marker, dict) or not {"spec", "layout", "renderer_revision"} <= marker.keys():
        raise InputError("not the marker of a rendered set", where=found, fix="Delete the set and render it again")
    return marker


def _compare(what: str, declared: dict[str, Any], found: dict[str, Any], run: Run, data: Path) -> None:
    """Compare what is declared with what is there; layouts declare facts that an index does not count."""
    differing = [name for name in declared if name in found and declared[name] != found[name]]
    if differing:
        expected, got = (", ".join(f"{name} {values[name]}" for name in differing) for values in (declared, found))
        raise InputError(what, where=data, expected=f"{expected} (run {run.run_id})", got=got, fix=_FIX)
