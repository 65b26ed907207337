"""From a method's name to its model. A method is a folder here with method.yaml and a function ``build``."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from reproid.catalog.methods import Method, load_methods
from reproid.errors import unknown_name
from reproid.models.base import ClipModel
from reproid.models.checkpoint import read_weights
from reproid.seeds import derive_seed

Build = Callable[..., ClipModel]


def declared_method(name: str, *, where: object | None = None) -> Method:
    """Return what a method's method.yaml says.

    Raises:
        InputError: for an unknown name; the nearest known one is suggested.
    """
    methods = load_methods()
    if name not in methods:
        raise unknown_name("method", name, sorted(methods), where=where)
    return methods[name]


def create_model(
    name: str, options: dict[str, Any], *, classes: int, seed: int, weights: Path | None = None, sha256: str | None = None
) -> ClipModel:
    """Make a method's model with fresh weights that depend on ``seed`` alone.

    Args:
        name: a folder of reproid.models with a method.yaml.
        options: the method's options; those left out have their defaults.
        classes: training persons, at least 1.
        seed: the run's seed.
        weights: a published checkpoint to start from.
        sha256: that file's expected digest.

    Raises:
        InputError: for an unknown method or option, or a checkpoint that does not fit.
    """
    method = declared_method(name)
    values = method.resolve_options(options, where=f"method '{name}'")
    build: Build = importlib.import_module(f"reproid.models.{name}").build
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "init"))
        model = build(values, classes=classes)
    if weights is not None:
        model.load_pretrained(read_weights(weights, sha256), where=weights)
    return model
