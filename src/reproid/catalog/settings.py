"""Settings of one run: everything that changes its result, resolved before anything runs."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from reproid.catalog._yaml import Strict

Fraction = Annotated[float, Field(ge=0, le=1)]

PATCH = 16
"""Pixels along a patch of a group of pictures."""


class Clips(Strict):
    """How a training tracklet becomes a clip of T frames of height x width pixels."""

    frames: PositiveInt = 8
    """T, frames per clip."""
    height: PositiveInt = 256
    """H, pixels after resizing."""
    width: PositiveInt = 128
    """W, pixels after resizing."""
    sampling: Literal["restricted-random", "consecutive"] = "restricted-random"
    """restricted-random: T equal chunks, one random frame of each; consecutive: T frames in a row from a random start."""
    flip: Fraction = 0.5
    """Chance that a whole clip is mirrored."""
    erasing: Fraction = 0.5
    """Chance that one rectangle per frame is erased (Zhong et al., AAAI 2020)."""
    pad: NonNegativeInt = 0
    """Pixels of padding before a random crop back to height x width; 0: no crop."""
    cut: PositiveInt | None = None
    """Training tracklets are cut into pieces of so many frames, the last one taking what is left; 48 and 32 are in use.
    Null: not cut. Settings without a cut do not hold it, nor do their run ids depend on it."""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if self.cut is None:
            values.pop("cut", None)
        return values


class Gop(Strict):
    """The group of pictures of a clip: motion against its first frame, and what that leaves over. See docs/gop.md."""

    method: Literal["h264-pairs", "h264-bstar", "h264-chain", "block-matching", "block-matching-exhaustive", "grid"] = (
        "h264-pairs"
    )
    """How motion is found."""
    erasing: Literal["recompute", "keep", "encode"] = "recompute"
    """What random erasing does. recompute: motion is that of the whole frames, the residual what it leaves of the erased ones;
    keep: so is the residual, which then shows what was erased; encode: motion and residual are those of the erased frames."""


class Batch(Strict):
    """P x K batches: P persons, K clips of each."""

    persons: PositiveInt = 8
    clips_per_person: PositiveInt = 4


class Optimizer(Strict):
    """The optimiser and its constants."""

    name: Literal["adam", "sgd"] = "adam"
    lr: PositiveFloat = 3e-4
    """Learning rate after the warm-up."""
    weight_decay: NonNegativeFloat = 5e-4
    momentum: Fraction = 0.9
    """For sgd alone."""
    nesterov: bool = False
    """For sgd alone."""


class Schedule(Strict):
    """The learning rate over the epochs."""

    name: Literal["step", "cosine", "constant"] = "step"
    milestones: tuple[PositiveInt, ...] = ()
    """step: epochs after which the rate is multiplied by gamma."""
    gamma: Fraction = 0.1
    floor: NonNegativeFloat = 0.0
    """cosine: the last rate as a fraction of lr."""
    warmup_epochs: NonNegativeInt = 0
    warmup_start: Fraction = 0.01
    """First rate of the linear warm-up as a fraction of lr."""


class Loss(Strict):
    """Weights and constants of the losses that every method shares; a method's own terms are weighted under ``terms``."""

    label_smoothing: Fraction = 0.1
    cross_entropy: NonNegativeFloat = 1.0
    triplet: NonNegativeFloat = 1.0
    margin: NonNegativeFloat | Literal["soft"] = 0.3
    """Batch-hard triplet margin; soft: log(1 + exp(d_pos - d_neg)) (Hermans et al., 2017)."""
    terms: dict[str, NonNegativeFloat] = {}
    """Weight of each loss term that the method returns by name; 1 where not named."""


class Train(Strict):
    """Training. ``epochs: 0`` leaves the initial weights: an untrained control."""

    epochs: NonNegativeInt = 60
    steps_per_epoch: PositiveInt | None = None
    """Optimiser steps per epoch; by default, as many as visit every training person once per K clips."""
    batch: Batch = Batch()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    loss: Loss = Loss()
    mixed_precision: bool = False
    """bfloat16 autocast where the hardware has it; float32 elsewhere."""
    gradient_clip: NonNegativeFloat = 0.0
    """Largest gradient norm; 0: no clipping."""

    @model_validator(mode="after")
    def _check(self) -> "Train":
        if self.loss.triplet and self.batch.clips_per_person < 2:
            raise ValueError("batch.clips_per_person of at least 2 when loss.triplet is on: a triplet needs a positive")
        return self


class Embed(Strict):
    """How a tracklet is described at test time."""

    sampling: Literal["dense", "strided"] = "dense"
    """dense: all frames, in clips of consecutive frames; strided: all frames, a clip takes every n-th frame."""
    frames: PositiveInt = 8
    """Frames per test clip; the last clip is padded by repeating its frames."""
    max_clips: PositiveInt | None = None
    """At most so many clips of a tracklet, evenly spread; by default, all."""
    pooling: Literal["mean"] = "mean"
    """How the clips of a tracklet become one descriptor."""


class Settings(Strict):
    """One experiment, resolved."""

    method: str
    """A folder of reproid.models."""
    options: dict[str, Any] = {}
    """The method's own options, complete (its method.yaml declares them)."""
    clips: Clips = Clips()
    train: Train = Train()
    embed: Embed = Embed()
    gop: Gop | None = None
    """Of methods that require a group of pictures alone: settings of others do not hold it, nor do their run ids depend on it."""

    @model_validator(mode="after")
    def _check(self) -> "Settings":
        if self.gop is not None and (self.clips.height % PATCH or self.clips.width % PATCH):
            size = f"{self.clips.height} x {self.clips.width}"
            raise ValueError(
                f"clips.height and clips.width in multiples of {PATCH} for a method with a group of pictures, not {size}"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if self.gop is None:
            del values["gop"]
        return values
