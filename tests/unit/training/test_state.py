from pathlib import Path

import pytest
import torch
from torch import nn

from reproid.training.history import EpochRow
from reproid.training.state import StateFolder, TrainState


def _state(optimizer: str) -> TrainState:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    make = {"sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), "adam": torch.optim.Adam}[optimizer]
    return TrainState(model=model, optimizer=make(model.parameters()))


def _step(state: TrainState) -> None:
    state.optimizer.zero_grad()
    state.model(torch.arange(12.0).reshape(4, 3)).square().sum().backward()
    state.optimizer.step()
    state.step += 1
    state.totals.add({"loss": state.step / 3})


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_restore_continues_moments_dropout_and_sums_exactly(tmp_path: Path, optimizer: str) -> None:
    folder = StateFolder(folder=tmp_path, run_id="r", data_sha256="d")
    whole = _state(optimizer)
    whole.history.append(EpochRow(epoch=1, lr=0.1, means={"loss": 1 / 7, "budget": 2.0, "accuracy": 0.1}))
    _step(whole)
    folder.save(whole)
    _step(whole)
    resumed = _state(optimizer)
    torch.manual_seed(99)  # dropout's generator comes from the file
    assert folder.restore(resumed)
    assert (resumed.epoch, resumed.step, resumed.sessions) == (0, 1, 2)
    assert list(resumed.history[0].means) == ["loss", "budget", "accuracy"], "the order of columns"
    _step(resumed)
    assert resumed.totals == whole.totals
    assert resumed.history == whole.history
    for one, two in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_restore_without_a_file_changes_nothing(tmp_path: Path) -> None:
    state = _state("adam")
    assert not StateFolder(folder=tmp_path / "none", run_id="r", data_sha256="d").restore(state)
    assert state.sessions == 1


@pytest.mark.parametrize(("run_id", "data"), [("other", "d"), ("r", "other")], ids=["run", "data"])
def test_restore_of_a_foreign_state_is_refused_with_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run_id: str, data: str
) -> None:
    StateFolder(folder=tmp_path, run_id=run_id, data_sha256=data).save(_state("adam"))
    state = _state("adam")
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    assert not StateFolder(folder=tmp_path, run_id="r", data_sha256="d").restore(state)
    assert "expected" in capsys.readouterr().err
    assert all(torch.equal(before[name], value) for name, value in state.model.state_dict().items())


def test_discard_removes_the_folder(tmp_path: Path) -> None:
    folder = StateFolder(folder=tmp_path / "state", run_id="r", data_sha256="d")
    folder.save(_state("adam"))
    folder.discard()
    assert not (tmp_path / "state").exists()
    folder.discard()
