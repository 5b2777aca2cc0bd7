"""What type a field of a facet has, by its path."""

import contextlib
import json
import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from sparkctl.model.facets.catalogue import Facets
from sparkctl.model.facets.paths import to_text


class UnknownField(LookupError):
    """A path that no facet has; `known` are the names that could stand in place of `name`."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no field {to_text([name])!r}")
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
    return any(get_origin(each) is dict or _is_model(each) for each in _bare(kind))


def from_text(kind: Any, text: str | list[str]) -> Any:
    """The JSON value that stands for `text` in a field of this type.

    Raises pydantic's ValidationError, and TypeError where the field holds a list and the text is none, or the reverse.
    """
    lists = [each for each in _bare(kind) if get_origin(each) is list]
    if isinstance(text, list):
        if not lists:
            raise TypeError("this is one value, not a list")
        (item,) = get_args(lists[0])
        return [from_text(item, each) for each in text]
    if lists and len(lists) == len(_bare(kind)):
        raise TypeError("this is a list, not one value")
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    *others, last = _readings(text)
    for value in others:
        with contextlib.suppress(ValidationError):
            return adapter.dump_python(adapter.validate_json(json.dumps(value)), mode="json")
    return adapter.dump_python(adapter.validate_json(json.dumps(last)), mode="json")


def _readings(text: str) -> list[Any]:
    """What a text may stand for; where a field takes a text, it is one, whatever it looks like."""
    found: list[Any] = [text]
    if text in ("true", "false"):
        found.append(text == "true")
    for number in (int, float):
        with contextlib.suppress(ValueError):
            found.append(number(text))
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _step(kinds: list[Any], name: str) -> Any:
    for kind in kinds:
        if get_origin(kind) is dict:
            return get_args(kind)[1]
        if _is_model(kind):
            field = kind.model_fields.get(name)
            if field is None:
                raise UnknownField(name, tuple(kind.model_fields))
            return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    raise UnknownField(name, ())


def _bare(kind: Any) -> list[Any]:
    """The types that a value may have, without constraints and without null."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return [each for part in get_args(kind) if part is not type(None) for each in _bare(part)]
    return [kind]
