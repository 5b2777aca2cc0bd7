"""Hypothesis strategies for anything that a pydantic model of ours accepts, made from the model itself."""

import re
import types
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from sparkctl.model.base import PRINTABLE

# Characters that every document allows: no controls, no lone surrogates, nothing invisible.
LETTERS = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")).filter(
    re.compile(PRINTABLE).match
)


def instances(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects that the model accepts, its optional fields there or not."""
    required = {name: _field(field) for name, field in model.model_fields.items() if field.is_required()}
    optional = {name: _field(field) for name, field in model.model_fields.items() if not field.is_required()}
    return st.fixed_dictionaries(required, optional=optional)


def _field(field: FieldInfo) -> st.SearchStrategy[Any]:
    return _of(field.annotation, field.metadata)


def _of(kind: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of(arguments[0], [*limits, *arguments[1:]])
    if origin in (Union, types.UnionType):
        return st.one_of(*(_of(each, limits) for each in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return st.dictionaries(_of(arguments[0], []), _of(arguments[1], []), max_size=3)
    if origin is list:
        return st.lists(_of(arguments[0], []), max_size=3)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return instances(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from([member.value for member in kind])
    return _plain(kind, limits)


def _plain(kind: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    bounds = _bounds(limits)
    if kind is type(None):
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        least = bounds["ge"] if "ge" in bounds else bounds["gt"] + 1 if "gt" in bounds else -(2**40)
        most = bounds["le"] if "le" in bounds else bounds["lt"] - 1 if "lt" in bounds else 2**40
        return st.integers(least, most)
    if kind is float:
        return st.floats(
            bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt")),
            exclude_min="gt" in bounds, exclude_max="lt" in bounds, allow_nan=False, allow_infinity=False,
        )  # fmt: skip
    if kind is str:
        return _text(limits)
    if kind is date:
        return st.dates().map(lambda day: day.isoformat())
    moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    return moments.map(lambda moment: moment.isoformat())


def _bounds(limits: list[Any]) -> dict[str, Any]:
    """The bounds among the limits: `ge`, `gt`, `le`, `lt`."""
    kinds = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt)
    found = {}
    for limit in _flat(limits):
        if isinstance(limit, kinds):
            name = type(limit).__name__.lower()
            found[name] = getattr(limit, name)
    return found


def _text(limits: list[Any]) -> st.SearchStrategy[str]:
    least, most, pattern = 0, 60, None
    for limit in _flat(limits):
        if isinstance(limit, StringConstraints):
            least, most = limit.min_length or least, limit.max_length or most
            pattern = limit.pattern or pattern
    if pattern is not None and not str(pattern).startswith("^[^"):
        return st.from_regex(str(pattern).replace("$", r"\Z"), fullmatch=True).filter(lambda text: len(text) <= most)
    return st.text(LETTERS, min_size=least, max_size=min(most, 20))


def _flat(limits: list[Any]) -> list[Any]:
    found: list[Any] = []
    for limit in limits:
        found += _flat(limit.metadata) if isinstance(limit, FieldInfo) else [limit]
    return found
