"""Methods as declared by ``method.yaml`` beside their code: name, revision, needs, options. Read without importing torch."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt

from reproid.catalog._yaml import Strict, load_yaml
from reproid.errors import InputError, unknown_name

MODELS = Path(__file__).resolve().parent.parent / "models"


class Option(Strict):
    """One option of a method. Its type is that of its default; for a default of null, a text."""

    default: Any
    doc: str
    choices: tuple[Any, ...] | None = None
    changes: Literal["training", "test", "cost"] = "training"
    """What the option changes. test: the test alone, so that runs which differ in nothing else share one training; cost: only
    what the cost is stated at, and no run."""


class Method(Strict):
    """What ``method.yaml`` says of a method."""

    name: str
    """The folder under reproid.models."""
    title: str
    """As reports print it."""
    revision: PositiveInt
    """Raised whenever the same settings would give other results: it is part of the run id."""
    source: str
    """The paper or code it comes from."""
    requires: frozenset[Literal["gop", "heatmaps"]] = frozenset()
    """What a clip must carry beside frames."""
    options: dict[str, Option] = {}

    def resolve_options(self, given: dict[str, Any], *, where: object) -> dict[str, Any]:
        """Return all options of the method, the given ones over the defaults.

        Raises:
            InputError: for an unknown option, a value of another type, or none of the choices.
        """
        values = {name: option.default for name, option in self.options.items()}
        for name, value in given.items():
            place = f"{where}, option '{name}' of method '{self.name}'"
            if name not in self.options:
                raise unknown_name("option", name, sorted(self.options), where=place)
            option = self.options[name]
            if option.choices is not None and value not in option.choices:
                choices = ", ".join(map(repr, option.choices))
                raise InputError("invalid value", where=place, expected=f"one of: {choices}", got=repr(value))
            if not _same_type(value, option.default):
                expected = "a text or null" if option.default is None else f"the type of the default {option.default!r}"
                raise InputError("invalid value", where=place, expected=expected, got=repr(value))
            values[name] = value
        return values

    def of_training(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options with those that change no training at their defaults."""
        fixed = {name: option.default for name, option in self.options.items() if option.changes != "training"}
        return options | {name: value for name, value in fixed.items() if name in options}

    def of_test(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return those that change the test alone and have another value than their default."""
        given = {name: value for name, value in options.items() if name in self.options}
        return {
            name: value
            for name, value in given.items()
            if self.options[name].changes == "test" and value != self.options[name].default
        }


@cache
def load_methods(folder: Path = MODELS) -> dict[str, Method]:
    """Read every method.yaml below ``folder``.

    Raises:
        InputError: if a file is invalid or its name is not its folder's.
    """
    methods = {}
    for path in sorted(folder.glob("*/method.yaml")):
        method = load_yaml(path, Method)
        if method.name != path.parent.name:
            raise InputError("name differs from the folder", where=path, expected=repr(path.parent.name), got=repr(method.name))
        methods[method.name] = method
    return methods


def _same_type(value: Any, default: Any) -> bool:
    if default is None:
        return value is None or isinstance(value, str)
    if isinstance(default, str):  # a text with a default may also be switched off
        return value is None or isinstance(value, str)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    if isinstance(default, list | tuple):
        return isinstance(value, list | tuple) and all(_same_type(item, default[0]) for item in value if default)
    return isinstance(value, type(default))
