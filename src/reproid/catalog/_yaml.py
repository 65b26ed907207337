"""YAML 1.2 in, validated objects out: the one loader of every file that a user edits."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reproid.errors import InputError, unknown_name


class Strict(BaseModel):
    """Base of all records that come from a file: unknown keys are errors, values are frozen, types are not coerced silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path | str) -> Any:
    """Read one YAML 1.2 document (``1e-4`` is a number, ``no`` is a word).

    Raises:
        InputError: if the file is missing or no YAML; names the file and the line.
    """
    path = Path(path)
    try:
        return _parser().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("file not found", where=path) from error
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else path
        raise InputError(f"not a YAML file ({getattr(error, 'problem', None) or error})", where=where) from error


def load_yaml(path: Path | str, model: type[Model]) -> Model:
    """Read a YAML file into ``model``.

    Raises:
        InputError: names the file, the key, what was expected and got, and for an unknown key the nearest known one.
    """
    return validate(read_yaml(path), model, where=path)


def validate(value: Any, model: type[Model], *, where: object) -> Model:
    """Validate plain data against ``model``; errors are raised as by `load_yaml`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if not _is_type_tag(part))
        place = f"{where}, key '{key}'" if key else str(where)
        if first["type"] == "extra_forbidden":
            known = _known_keys(model, first["loc"][:-1])
            raise unknown_name("key", str(first["loc"][-1]), known, where=place, fix="Remove it") from error
        got = "nothing" if first["type"] == "missing" else repr(first["input"])
        raise InputError("invalid value", where=place, expected=_expected(first), got=got[:200]) from error


def _is_type_tag(part: int | str) -> bool:
    """Tell whether pydantic, not the file, put ``part`` into a location: the branch of a union that it tried."""
    return str(part).startswith(("constrained-", "function-", "literal[", "tuple[")) or part in ("float", "int", "str", "bool")


def _expected(error: Any) -> str:
    message: str = error["msg"]
    message = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return "a value (the key is required)" if error["type"] == "missing" else message[:1].lower() + message[1:]


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the record at ``location`` inside ``model``; discriminator tags and indices in between are skipped."""
    models = [model]
    for part in location:
        inner = [found for m in models if part in m.model_fields for found in _models_in(m.model_fields[str(part)].annotation)]
        models = inner or models
    return sorted({key for m in models for key in m.model_fields})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


@cache
def _parser() -> YAML:
    return YAML(typ="safe", pure=True)
