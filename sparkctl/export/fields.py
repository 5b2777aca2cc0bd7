"""Mappings as data: a field of a target, where its value comes from, and how it is taken from there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

Of = TypeVar("Of")


@dataclass(frozen=True, slots=True)
class Field(Generic[Of]):
    """One field of a target.

    `source` names what the value is taken from: a field of a facet (`identity.smbios.sys_vendor`), or words in round
    brackets for what is no facet. `take` gives the value, None where nothing is known: such a field is left out.
    """

    target: str
    source: str
    take: Callable[[Of], Any]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A field that something else than a field of ours writes, as people are told of it."""

    target: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that make up one kind of record of a target, once for `each` of something."""

    title: str
    each: str
    fields: tuple[Field[Any], ...] | tuple[Told, ...]


def constant(target: str, value: Any, note: str = "") -> Field[Any]:
    """A field that is the same for every node."""
    return Field(target, "(always)", lambda _: value, note or f"`{value}`")


def is_nothing(value: Any) -> bool:
    """Whether a value says nothing; zero and false say something."""
    return not value and not isinstance(value, int | float)


def flat(fields: Iterable[Field[Of]], of: Of) -> dict[str, Any]:
    """A record by the names of its fields, without those of which nothing is known."""
    found = {}
    for field in fields:
        value = field.take(of)
        if value or not is_nothing(value):
            found[field.target] = value
    return found


def nested(fields: Iterable[Field[Of]], of: Of) -> dict[str, Any]:
    """A record in which a dot in a field's name leads into an object, without what is not known."""
    whole: dict[str, Any] = {}
    for name, value in flat(fields, of).items():
        if "." not in name:
            whole[name] = value
            continue
        *above, last = _steps(name)
        here = whole
        for step in above:
            here = here.setdefault(step, {})
        here[last] = value
    return whole


@lru_cache(maxsize=1024)
def _steps(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def pick(mapping: Mapping[str, Any], *names: str) -> Any:
    """The value below several names, None where one of them is absent."""
    value: Any = mapping
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
