from pathlib import Path

import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.places import find_places
from reproid.catalog.plan import plan_suite, planned_runs
from reproid.errors import InputError


def test_find_places_given_ones_win_over_the_projects(project: Path) -> None:
    run = next(iter(planned_runs(plan_suite(load_catalog(suite="tiny"))).values()))
    places = find_places(run, index=None, data=None, out=Path("mine"), state=None)
    assert places["out"] == Path("mine")
    assert places["state"] == project / "results/state" / run.run_id
    assert places["data"].parent == project / "data/synthetic/tiny-mars"
    assert places["index"] == project / "results/index/tiny-mars" / places["data"].name


def test_find_places_all_given_needs_no_project(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = next(iter(planned_runs(plan_suite(load_catalog(suite="tiny"))).values()))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    given = {name: Path(name) for name in ("index", "data", "out", "state")}
    assert find_places(run, **given) == given
    with pytest.raises(InputError, match="no ReproID project here"):
        find_places(run, **{**given, "state": None})
