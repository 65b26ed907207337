"""Identity of runs: what shares a training, and what is another run."""

import pytest

from reproid.catalog.catalog import load_catalog
from reproid.catalog.methods import load_methods
from reproid.catalog.plan import find_run, with_trainings
from reproid.catalog.runs import Run, make_run, training_of
from reproid.errors import InputError

CATALOG = load_catalog(suite="synthetic")


def _run(experiment: str, **options: object) -> Run:
    settings = CATALOG.resolve(f"psformer/{experiment}")
    settings = settings.model_copy(update={"options": settings.options | options})
    return make_run(
        settings, dataset="synthetic-mars", data=CATALOG.datasets["synthetic-mars"], split="official", seed=0, revision=1
    )


def test_run_of_another_threshold_at_test_time_shares_the_training() -> None:
    ours, other = _run("psformer-b"), _run("threshold-0.9")
    assert ours.trains
    assert not other.trains
    assert other.training_id == ours.run_id == other.run_id.partition("-")[0]
    assert other.folder == f"runs/synthetic-mars/{other.run_id}"
    assert training_of(other) == training_of(ours) == ours, "the training's record does not depend on who asks for it"


def test_runs_of_table_8_are_one_training_and_six_tests() -> None:
    table = CATALOG.papers["psformer"].tables["table-8"]
    runs = [_run(row.experiment) for row in table.rows]
    assert len({run.run_id for run in runs}) == 6
    assert len({run.training_id for run in runs}) == 1
    assert sum(run.trains for run in runs) == 1


@pytest.mark.parametrize("option", ["threshold", "context", "seed"])
def test_run_of_another_training_is_another_training(option: str) -> None:
    changed = _run("psformer-b", **({"threshold": 0.6} if option == "threshold" else {"context": "none"}))
    if option == "seed":
        changed = make_run(
            _run("psformer-b").settings, dataset="synthetic-mars", data=changed.data, split="official", seed=1, revision=1
        )
    assert changed.trains
    assert changed.run_id != _run("psformer-b").run_id


def test_share_that_costs_are_stated_at_is_no_part_of_a_run() -> None:
    assert _run("psformer-b", stated_kept=0.5, stated_gate=0.1).run_id == _run("psformer-b").run_id


def test_options_of_the_test_and_of_the_cost_are_declared() -> None:
    options = load_methods()["psformer"].options
    changes = {name: option.changes for name, option in options.items() if option.changes != "training"}
    stated = {"stated_kept": "cost", "stated_kept_i": "cost", "stated_gate": "cost"}
    assert changes == {"test_threshold": "test"} | stated


def test_training_that_no_table_shows_is_found() -> None:
    other = _run("threshold-0.9")
    assert with_trainings({other.run_id: other}) == {other.training_id: training_of(other), other.run_id: other}
    with pytest.raises(InputError, match="run 0123456789ab-cdef01: no suite plans it"):
        find_run(CATALOG, "0123456789ab-cdef01")
