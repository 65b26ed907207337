"""Partial records: the same keys and types as a record, every one optional, for layers of overrides."""

from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, Field, create_model

from reproid.catalog._yaml import Strict


@cache
def partial_of(model: type[BaseModel]) -> type[Strict]:
    """Return a record with the fields of ``model``, all optional; null means "leave as it is". Nested records are partial too."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind: Any = _without_none(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = partial_of(kind)
        elif field.metadata:
            kind = _with_metadata(kind, tuple(field.metadata))
        fields[name] = (kind | None, Field(default=None, description=field.description))
    made: type[Strict] = create_model(f"Partial{model.__name__}", __base__=Strict, **fields)
    return made


def layer(record: BaseModel) -> dict[str, Any]:
    """Return what a partial record sets, as plain data."""
    return record.model_dump(mode="json", exclude_none=True)


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid on it; mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _without_none(kind: Any) -> Any:
    """Return the record of an optional record; any other annotation as it is."""
    records = [inner for inner in get_args(kind) if inner is not type(None)]
    optional = len(records) == 1 and isinstance(records[0], type) and issubclass(records[0], BaseModel)
    return records[0] if optional else kind


def _with_metadata(kind: Any, metadata: tuple[Any, ...]) -> Any:
    from typing import Annotated

    return Annotated[(kind, *metadata)]
