"""What type a field of a facet has, by its path."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from sparkctl.model.facets.catalogue import Facets


class UnknownField(LookupError):
    """A path that no facet has; `known` are the names that could stand in place of `name`."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no field {name!r}")
        self.name, self.known = name, tuple(known)


def type_at(path: Sequence[str]) -> Any:
    """The type of the field at `path`, which begins with the facet's name; raises UnknownField."""
    kind: Any = Facets
    for depth, name in enumerate(path):
        kind = _step(_bare(kind), name)
        if depth == 0:
            kind = _step(_bare(kind), "data")
    return kind


def is_map(kind: Any) -> bool:
    """Whether a type holds further fields."""
    bare = _bare(kind)
    return get_origin(bare) is dict or (isinstance(bare, type) and issubclass(bare, BaseModel))


def is_list(kind: Any) -> bool:
    """Whether a type is a list of values."""
    return get_origin(_bare(kind)) is list


def from_text(kind: Any, text: str | list[str]) -> Any:
    """The JSON value that stands for `text` in a field of this type; raises pydantic's ValidationError."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return adapter.dump_python(adapter.validate_strings(text), mode="json")


def _step(kind: Any, name: str) -> Any:
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        raise UnknownField(name, ())
    field = kind.model_fields.get(name)
    if field is None:
        raise UnknownField(name, tuple(kind.model_fields))
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _bare(kind: Any) -> Any:
    """The type without its constraints and without null."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            return kind
