"""What a suite and params.yaml change in an experiment that its paper describes."""

from dataclasses import replace
from typing import Any

from reproid.catalog.catalog import Catalog
from reproid.catalog.partial import partial_of
from reproid.catalog.settings import Settings
from reproid.catalog.suites import Params


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, keys joined by dots, in their order; an empty mapping is a value."""
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat


def changed_settings(catalog: Catalog, experiment: str) -> tuple[str, ...]:
    """Return the keys, sorted, whose values differ between the experiment as run and as its paper's files describe it."""
    bare = catalog.suite.model_copy(update={"overrides": partial_of(Settings)(), "options": {}})
    paper = replace(catalog, suite=bare, params=Params(suite=bare.name))
    return _differing(catalog.resolve(experiment), paper.resolve(experiment))


def _differing(run: Settings, paper: Settings) -> tuple[str, ...]:
    ours, theirs = flatten(run.model_dump(mode="json")), flatten(paper.model_dump(mode="json"))
    missing = object()
    return tuple(key for key in sorted({*ours, *theirs}) if ours.get(key, missing) != theirs.get(key, missing))
