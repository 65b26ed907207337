import sys

import pytest
import snakemake_executor_plugin_slurm as executor

from reproid.catalog.executor import keep_asking_squeue


def test_executor_keeps_the_last_answer_while_the_controller_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, 300, None, None, 120, None])
    monkeypatch.setattr(executor, "get_min_job_age", lambda: next(answers))
    keep_asking_squeue()
    assert [executor.get_min_job_age() for _ in range(6)] == [None, 300, 300, 300, 120, 120]


def test_executor_that_is_not_loaded_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "snakemake_executor_plugin_slurm")
    keep_asking_squeue()
    assert "snakemake_executor_plugin_slurm" not in sys.modules
