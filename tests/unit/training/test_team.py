"""Two processes that train one run give what one gives: losses, gradients, statistics; they fail, stop and resume together."""

import csv
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reproid.clips.clip import Clip
from reproid.clips.datasets import Draw
from reproid.errors import InputError
from reproid.files import read_json
from reproid.models.base import Output
from reproid.models.checkpoint import load_tensors
from reproid.training import loop
from reproid.training.interrupt import Interrupted
from reproid.training.manifest import read_manifest
from reproid.training.run import TrainJob, train_run
from reproid.training.shared_norm import SharedBatchNorm, share_norms
from reproid.training.team import ALONE, Team, joined_team
from support.team import run_team
from support.tracklets import Places, small_run, write_tracklets


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return write_tracklets(tmp_path_factory.mktemp("tracklets"))


@pytest.fixture
def job(places: Places, tmp_path: Path) -> TrainJob:
    optimizer = {"name": "sgd", "lr": 0.05, "momentum": 0.9}
    run = small_run(batch={"persons": 4, "clips_per_person": 2}, optimizer=optimizer, loss={"margin": "soft"})
    return TrainJob(
        run=run, index=places.index, data=places.data, out=tmp_path / "run", state=tmp_path / "state" / run.run_id, workers=0
    )


def _at(job: TrainJob, name: str) -> TrainJob:
    return replace(job, out=job.out.parent / name, state=job.state.parent / name)


def _history(job: TrainJob) -> list[dict[str, float]]:
    with (job.out / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _train(job: TrainJob) -> Callable[[Team], None]:
    return lambda team: train_run(job, team)


def _bytes(job: TrainJob) -> dict[str, bytes]:
    return {name: (job.out / name).read_bytes() for name in ("model.safetensors", "history.csv", "run.json")}


def _after_step(step: int, act: Callable[[], object]) -> None:
    """Do something after an optimiser step of this process (1-based)."""
    done, real = 0, loop.train_step

    def counted(*arguments: Any, **options: Any) -> dict[str, float]:
        nonlocal done
        values, done = real(*arguments, **options), done + 1
        if done == step:
            act()
        return values

    loop.train_step = counted


def test_two_ranks_train_as_one_does_and_the_first_alone_writes(job: TrainJob, tmp_path: Path) -> None:
    one, two, elsewhere = _at(job, "one"), _at(job, "two"), _at(job, "elsewhere")
    train_run(one)
    run_team(tmp_path, lambda team: train_run(two if team.leads else elsewhere, team))
    for alone, together in zip(_history(one), _history(two), strict=True):
        assert together == pytest.approx(alone, rel=1e-4)
        assert together["triplet"] > 0
    weights, shared = (load_tensors(each.out / "model.safetensors")[0] for each in (one, two))
    assert weights.keys() == shared.keys()
    for name, tensor in weights.items():
        torch.testing.assert_close(shared[name], tensor, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}")
    assert not elsewhere.out.exists()
    assert not elsewhere.state.exists()
    assert sorted(path.name for path in two.out.iterdir()) == sorted(path.name for path in one.out.iterdir())
    assert (read_manifest(one.out / "manifest.json").world_size, read_manifest(two.out / "manifest.json").world_size) == (1, 2)


def test_ranks_mine_across_each_other(job: TrainJob, tmp_path: Path) -> None:
    """A loss of one rank's persons alone is another: the equality above would not hold by itself."""
    whole, half = (small_run(batch={"persons": persons, "clips_per_person": 2}, epochs=1) for persons in (4, 2))
    train_run(replace(_at(job, "whole"), run=whole))
    train_run(replace(_at(job, "half"), run=half))
    assert _history(_at(job, "whole"))[0]["triplet"] != pytest.approx(_history(_at(job, "half"))[0]["triplet"], rel=1e-2)


def test_gather_differentiates_as_one_process_does(tmp_path: Path) -> None:
    features, labels = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) // 2

    def loss_of(output: Output, labels: torch.Tensor) -> torch.Tensor:
        products = output.features[0] @ output.features[0].T  # every clip with every other, as mining does
        return (products * (labels[:, None] == labels[None, :])).square().mean() + 3 * output.losses["own"]

    def work(team: Team) -> Any:
        weight = torch.ones(3, requires_grad=True)
        mine = slice(team.rank * 4, team.rank * 4 + 4) if team.size == 2 else slice(0, 8)
        scaled = features[mine] * weight
        output = Output(embedding=scaled, features=(scaled,), losses={"own": scaled.exp().mean()})
        whole, everyone = team.gather(output, labels[mine])
        loss = loss_of(whole, everyone)
        loss.backward()
        assert weight.grad is not None
        return {"loss": loss.item(), "gradient": weight.grad.tolist(), "labels": everyone.tolist()}

    (one,), two = run_team(tmp_path, work, size=1), run_team(tmp_path, work)
    for rank in two:
        assert rank["labels"] == one["labels"]
        assert rank["loss"] == pytest.approx(one["loss"], rel=1e-6)
    mean = [(a + b) / 2 for a, b in zip(two[0]["gradient"], two[1]["gradient"], strict=True)]  # what DDP makes of them
    assert mean == pytest.approx(one["gradient"], rel=1e-5)


def test_gather_adds_metrics_up_where_the_clips_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """NCCL adds up on GPUs alone, and a method's count may be in main memory. The device meta stands for a GPU."""
    added: list[str] = []
    monkeypatch.setattr("torch.distributed.all_reduce", lambda tensor: added.append(tensor.device.type))
    monkeypatch.setattr("torch.distributed.all_gather", lambda parts, mine: None)
    Team(size=2).gather(
        Output(embedding=torch.zeros(2, 3, device="meta"), metrics={"open": torch.tensor(0.5)}),
        torch.zeros(2, dtype=torch.int64, device="meta"),
    )
    assert added == ["meta"]


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.BatchNorm2d], ids=["1d", "2d"])
def test_shared_batch_norm_normalises_by_all_parts(tmp_path: Path, kind: type[nn.Module]) -> None:
    shape = (8, 3) if kind is nn.BatchNorm1d else (8, 3, 4, 2)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3 + 5

    def work(team: Team) -> Any:
        model = nn.Sequential(nn.Identity(), kind(3))
        team.share_statistics(model)
        mine = values.chunk(team.size)[team.rank].clone().requires_grad_()
        out = model(mine)
        out.pow(3).sum().backward()
        assert mine.grad is not None
        state = {name: tensor.tolist() for name, tensor in model.state_dict().items()}
        after = model.eval()(values).flatten().tolist()
        return {"out": out.flatten().tolist(), "gradient": mine.grad.flatten().tolist(), "state": state, "eval": after}

    (one,), two = run_team(tmp_path, work, size=1), run_team(tmp_path, work)
    for name in ("out", "gradient"):
        assert two[0][name] + two[1][name] == pytest.approx(one[name], rel=1e-4, abs=1e-4)
    for rank in two:
        assert rank["state"].keys() == one["state"].keys()
        assert rank["eval"] == pytest.approx(one["eval"], rel=1e-5, abs=1e-5)
        for name, value in one["state"].items():
            assert rank["state"][name] == pytest.approx(value, rel=1e-5)


def test_share_norms_replaces_each_once_and_keeps_its_parameters() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2), nn.LayerNorm(2)))
    before = dict(model.named_parameters())
    share_norms(model)
    share_norms(model)
    (norm,) = [module for module in model.modules() if isinstance(module, SharedBatchNorm)]
    assert norm.training
    assert {name: id(tensor) for name, tensor in model.named_parameters()} == {
        name: id(tensor) for name, tensor in before.items()
    }


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_shares_of_all_ranks_are_the_batch_each_clip_once(size: int) -> None:
    batch = [Draw(0, position, position % 3) for position in range(16)]
    shares = [Team(rank=rank, size=size).share(batch) for rank in range(size)]
    assert [draw for share in shares for draw in share] == batch
    assert {len(share) for share in shares} == {16 // size}


def test_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(InputError, match=r"train\.batch\.persons: a batch .* evenly; expected a multiple of 3, got 8"):
        Team(size=3).check_batch(8)


def test_ranks_draw_dropout_apart_and_the_same_again() -> None:
    def draw(team: Team, step: int) -> list[float]:
        team.reseed(0, 1, step)
        return torch.rand(4).tolist()

    drawn = [draw(Team(rank=rank, size=2), step) for rank in range(2) for step in range(2)]
    assert len({tuple(values) for values in drawn}) == 4
    assert draw(Team(rank=1, size=2), 1) == drawn[3]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_signal_on_one_rank_saves_and_stops_all_and_the_team_goes_on_to_the_same_bytes(
    job: TrainJob, tmp_path: Path, name: str
) -> None:
    whole = _at(job, "whole")
    run_team(tmp_path, _train(whole))

    def disturbed(team: Team) -> None:
        if team.rank == 1:
            _after_step(4, lambda: os.kill(os.getpid(), signal.Signals[name]))
        train_run(job, team)

    assert run_team(tmp_path, disturbed) == [{"interrupted": f"{name} in epoch 2, batch 2"}] * 2
    assert (job.state / "state.safetensors").exists()
    with pytest.raises(InputError, match=r"another number of processes; expected 2 processes, got 1\. Continue with --ranks 2"):
        train_run(job)
    assert run_team(tmp_path, _train(job)) == [None, None]
    assert _bytes(job) == _bytes(whole)
    assert read_manifest(job.out / "manifest.json").sessions == 2


def test_state_of_one_process_is_refused_by_two(job: TrainJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "train_step", loop.train_step)  # put back at the end
    _after_step(4, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train_run(job)
    found = run_team(tmp_path, _train(job))
    assert all("expected 1 processes, got 2" in each["error"] for each in found)
    assert run_team(tmp_path, _train(replace(job, resume=False))) == [None, None]


def test_error_of_one_rank_ends_all_with_its_words(job: TrainJob, tmp_path: Path) -> None:
    def work(team: Team) -> None:
        if team.rank == 1:
            loop.load_batches = _broken_batches
        train_run(job, team)

    assert run_team(tmp_path, work) == [{"error": "p1.png: not an image."}] * 2
    assert read_json(job.out / "status.json")["reason"] == "p1.png: not an image."


def _broken_batches(*_: object, **__: object) -> Iterator[Clip]:
    raise InputError("not an image", where="p1.png")
    yield


def test_error_goes_before_a_signal(tmp_path: Path) -> None:
    def work(team: Team) -> None:
        with team.agreed():
            if team.rank == 0:
                raise Interrupted("SIGTERM")
            raise InputError("no such image", where="here")

    assert run_team(tmp_path, work) == [{"error": "here: no such image."}] * 2


def test_ranks_that_see_other_files_are_told(tmp_path: Path) -> None:
    found = run_team(tmp_path, lambda team: team.check_same("resume state", f"epoch {team.rank}"))
    assert found[0]["error"].startswith("the processes do not see the same resume state; expected epoch 0, got epoch 0, epoch 1")


def test_joined_team_of_one_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_team() as team:
        assert team is ALONE
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined_team() as team:
        assert team is ALONE


@pytest.mark.parametrize(("rank", "match"), [(None, "RANK; expected a number, got nothing"), ("x", "got x")])
def test_joined_team_without_a_rank_says_so(monkeypatch: pytest.MonkeyPatch, rank: str | None, match: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    with pytest.raises(InputError, match=match), joined_team():
        pass
