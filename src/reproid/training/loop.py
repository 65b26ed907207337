"""The training loop, from the first batch to the last."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor, nn
from tqdm import tqdm

from reproid.catalog.settings import Train
from reproid.clips.clip import Clip
from reproid.clips.datasets import TrainingClips
from reproid.clips.loader import load_batches
from reproid.errors import InputError
from reproid.files import write_text
from reproid.models.base import ClipModel
from reproid.training.history import EpochRow, Totals, history_csv
from reproid.training.interrupt import Interrupt, Interrupted
from reproid.training.losses import loss_terms
from reproid.training.optimisation import learning_rate
from reproid.training.sampler import PersonSampler
from reproid.training.state import StateFolder, TrainState
from reproid.training.team import ALONE, Team


@dataclass(frozen=True, kw_only=True)
class Course:
    """What a training runs on; nothing in it moves."""

    settings: Train
    clips: TrainingClips
    sampler: PersonSampler
    workers: int
    device: torch.device
    state: StateFolder
    save_minutes: float
    history: Path
    """history.csv."""
    team: Team = ALONE


def train(state: TrainState, course: Course, interrupt: Interrupt) -> None:
    """Train ``state.model`` from where ``state`` is to the end of the last epoch.

    Args:
        state: moved on, and saved.
        course: what to train on.
        interrupt: open; asked after every step, and obeyed at once while a batch is awaited.

    Raises:
        InputError: if a loss term or the gradient is not finite (before the weights move), or an image is broken.
        Interrupted: after a signal; the state is saved.
    """
    settings, sampler, team = course.settings, course.sampler, course.team
    labels = _Labels(course)
    draws = sampler.batches(settings.epochs, epoch=state.epoch, step=state.step)
    batches = load_batches(course.clips, map(team.share, draws), workers=course.workers)
    model = state.model
    assert isinstance(model, ClipModel)
    model.train()
    objective = Objective(model, settings, team)
    saver = _Saver(state, course)
    with closing(batches), _progress(state, course) as bar:
        while state.epoch < settings.epochs:
            lr = learning_rate(settings, state.epoch)
            for group in state.optimizer.param_groups:
                group["lr"] = lr
            model.begin_epoch(state.epoch, settings.epochs)
            together = team.parallel(objective)  # anew: a stage may train other parameters
            while state.step < sampler.steps:
                clip = saver.while_waiting(batches, interrupt)
                team.reseed(course.clips.seed, state.epoch, state.step)
                inputs = (clip.ready(course.device), labels.of(clip))
                values = train_step(model, state.optimizer, *inputs, settings, place=_place(state), objective=together)
                state.totals.add(values)
                state.step += 1
                bar.update()
                saver.after_step(interrupt)
            row = EpochRow(epoch=state.epoch + 1, lr=lr, means=state.totals.means())
            state.history.append(row)
            if team.leads:
                write_text(course.history, history_csv(state.history))
                _report(row, bar)
            state.epoch, state.step, state.totals = state.epoch + 1, 0, Totals()
            saver.after_epoch()


class Objective(nn.Module):
    """From a batch to what is minimised.

    Args:
        model: the method's.
        settings: loss and precision.
        team: the batch is that of all its ranks.
    """

    def __init__(self, model: ClipModel, settings: Train, team: Team = ALONE) -> None:
        super().__init__()
        self.model, self.settings, self.team = model, settings, team

    def forward(self, clip: Clip, labels: Tensor) -> tuple[dict[str, Tensor], Tensor | None, dict[str, Tensor]]:
        """Return the weighted loss terms, the accuracy of the first logits where there are any, and the model's metrics.

        Args:
            clip: the batch, or this rank's part of it.
            labels: int64 [B], class of each clip.
        """
        with torch.autocast(clip.frames.device.type, dtype=torch.bfloat16, enabled=_autocasts(self.settings, clip.frames.device)):
            output = self.model(clip)
        output, labels = self.team.gather(output, labels)
        terms = loss_terms(output, labels, self.settings.loss)
        hits = (output.logits[0].argmax(dim=1) == labels).float() if output.logits else None
        return terms, None if hits is None else hits.mean(), output.metrics


def train_step(
    model: ClipModel,
    optimizer: torch.optim.Optimizer,
    clip: Clip,
    labels: Tensor,
    settings: Train,
    *,
    place: str,
    objective: nn.Module | None = None,
) -> dict[str, float]:
    """Move the weights by one batch.

    Args:
        model: in train mode, on the clip's device.
        optimizer: of its parameters, with the epoch's rate.
        clip: the batch.
        labels: int64 [B], class of each clip.
        settings: loss, clipping, precision.
        place: epoch and step for the error message.
        objective: `Objective` of the model, by default on this process alone.

    Returns:
        Loss, accuracy of the first logits, each weighted term, and the model's metrics.

    Raises:
        InputError: if a term or the gradient is not finite; the weights have not moved.
    """
    terms, accuracy, metrics = (objective or Objective(model, settings))(clip, labels)
    values = {name: float(value.detach()) for name, value in terms.items()}  # waits for the GPU
    for name, value in values.items():
        _check_finite(f"loss term '{name}'", value, clip, place)
    loss = torch.stack(list(terms.values())).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip or math.inf)
    _check_finite("gradient norm", float(norm), clip, place)
    optimizer.step()
    summary = {"loss": float(loss.detach())}
    if accuracy is not None:
        summary["accuracy"] = float(accuracy)
    return summary | values | {name: float(value) for name, value in metrics.items()}


class _Labels:
    """Numbers persons by their pid's order."""

    def __init__(self, course: Course) -> None:
        self._pids = torch.tensor(sorted({tracklet.pid for tracklet in course.clips.tracklets}))
        self._device = course.device

    def of(self, clip: Clip) -> Tensor:
        return torch.searchsorted(self._pids, clip.pid).to(self._device)


class _Saver:
    """Saves the state every so many minutes, at each epoch's end, and when a signal asks to leave."""

    def __init__(self, state: TrainState, course: Course) -> None:
        self._state, self._course = state, course
        self._start = self._saved = time.monotonic()
        self._earlier_s = state.wall_s
        self._first = _place(state)

    def while_waiting(self, batches: Iterator[Clip], interrupt: Interrupt) -> Clip:
        """Return the next batch. Decoding may hang, as on a lost network drive: a signal is not kept waiting for it."""
        try:
            with self._course.team.agreed(), interrupt.obeyed():
                return next(batches)
        except Interrupted as error:
            raise self._leave(error.signal_name) from None

    def after_step(self, interrupt: Interrupt) -> None:
        if interrupt.name and self._course.team.size == 1:  # a team agrees when it awaits the next batch
            raise self._leave(interrupt.name)
        if time.monotonic() - self._saved >= 60 * self._course.save_minutes:
            self._save()

    def after_epoch(self) -> None:
        self._save()

    def _leave(self, name: str) -> Interrupted:
        self._save()
        return Interrupted(name, _place(self._state), progressed=_place(self._state) != self._first)

    def _save(self) -> None:
        self._saved = time.monotonic()
        self._state.wall_s = self._earlier_s + self._saved - self._start
        if self._course.team.leads:
            self._course.state.save(self._state)


def _place(state: TrainState) -> str:
    return f"epoch {state.epoch + 1}, batch {state.step + 1}"


def _check_finite(name: str, value: float, clip: Clip, place: str) -> None:
    if not math.isfinite(value):
        shown = ", ".join(clip.tracklet_id[:3])
        fix = f"Lower the learning rate or look at the batch's tracklets ({shown}, ...); the weights were not changed"
        raise InputError(f"{name} is not finite", where=place, expected="a finite number", got=value, fix=fix)


def _autocasts(settings: Train, device: torch.device) -> bool:
    return settings.mixed_precision and device.type == "cuda" and torch.cuda.is_bf16_supported()


def _progress(state: TrainState, course: Course) -> "tqdm[NoReturn]":
    """Return the bar over all steps; outside a terminal it is silent and `_report` prints a line per epoch."""
    steps = course.sampler.steps
    done = state.epoch * steps + state.step
    silent = not (sys.stderr.isatty() and course.team.leads)
    total = course.settings.epochs * steps
    return tqdm(total=total, initial=done, unit="step", desc="train", file=sys.stderr, disable=silent)


def _report(row: EpochRow, bar: "tqdm[NoReturn]") -> None:
    values = "  ".join(f"{name} {value:.4f}" for name, value in row.means.items())
    if bar.disable:
        with suppress(OSError):  # the log's disk is full: what is written to the results will say so
            print(f"epoch {row.epoch}  lr {row.lr:.2e}  {values}", file=sys.stderr, flush=True)
    else:
        bar.set_postfix_str(f"epoch {row.epoch}  {values}")
