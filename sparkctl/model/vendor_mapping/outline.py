"""What a document of a tool is known to look like: an outline with the type of each field and what becomes of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from sparkctl.model.base import PRINTABLE

NO_FIELD = "no facet has such a field"
_LINE = re.compile(PRINTABLE.replace("$", r"\Z"))


class Type(Enum):
    """What a field may hold beside null; the values are what a complaint calls it."""

    TEXT = "one line of text"
    RAW = "text"
    NUMBER = "a number"
    WHOLE = "a whole number"
    FLAG = "true or false"
    TEXTS = "a list of texts"
    LOOSE = "a number or a text"
    ANY = "anything"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that is looked at as a whole; `reason` says why it is not taken where no mapping takes it."""

    type: Type
    reason: str = NO_FIELD


@dataclass(frozen=True, slots=True)
class Each:
    """An object whose keys are names of things, such as packages."""

    member: "Outline"


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects of one kind."""

    row: "Outline"


Outline: TypeAlias = "Leaf | Each | Rows | Mapping[str, Outline]"

TEXT, RAW, NUMBER, WHOLE, FLAG, TEXTS, LOOSE = (
    Leaf(kind)
    for kind in (Type.TEXT, Type.RAW, Type.NUMBER, Type.WHOLE, Type.FLAG, Type.TEXTS, Type.LOOSE)
)  # fmt: skip

Place: TypeAlias = "tuple[str | int, ...]"
"""The way to a field of a document: keys, and numbers for the rows of lists."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A field of a document; `reason` is None where no outline knows it, `pattern` is its place without names of things
    and numbers of rows.
    """

    place: Place
    pattern: str
    value: Any
    reason: str | None


class WrongType(ValueError):
    """A field holds another type than its tool writes there."""

    def __init__(self, place: Place, expected: str) -> None:
        super().__init__(f"{place_text(place)} must be {expected}")


def left(reason: str, kind: Type = Type.ANY) -> Leaf:
    """A field that is known and not taken, whatever it holds."""
    return Leaf(kind, reason)


def place_text(place: Place) -> str:
    """A place as people write it: `data.gpu[0].name`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the document"


def fields_of(outline: Outline, value: Any, place: Place, pattern: str) -> Iterator[Seen]:
    """Every field of a document, known or not; raises WrongType."""
    if isinstance(outline, Leaf):
        _check(outline.type, value, place)
        yield Seen(place, pattern, value, outline.reason)
    elif value is None:
        yield Seen(place, pattern, value, NO_FIELD)
    elif isinstance(outline, Rows):
        yield from _rows(outline, value, place, pattern)
    elif not isinstance(value, dict):
        raise WrongType(place, "an object")
    elif not value:
        yield Seen(place, pattern, value, NO_FIELD)
    elif isinstance(outline, Each):
        for key, member in value.items():
            yield from fields_of(outline.member, member, (*place, key), f"{pattern}.*")
    else:
        for key, member in value.items():
            here, where = (*place, key), f"{pattern}.{key}"
            if key in outline:
                yield from fields_of(outline[key], member, here, where)
            else:
                yield Seen(here, where, member, None)


def _rows(outline: Rows, value: Any, place: Place, pattern: str) -> Iterator[Seen]:
    if not isinstance(value, list):
        raise WrongType(place, "a list")
    if not value:
        yield Seen(place, pattern, value, NO_FIELD)
    for number, row in enumerate(value):
        if not isinstance(row, dict):
            raise WrongType((*place, number), "an object")
        yield from fields_of(outline.row, row, (*place, number), f"{pattern}[]")


def _check(kind: Type, value: Any, place: Place) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        Type.TEXT: isinstance(value, str) and _line(value),
        Type.RAW: isinstance(value, str),
        Type.NUMBER: number,
        Type.WHOLE: number and isinstance(value, int),
        Type.FLAG: isinstance(value, bool),
        Type.TEXTS: isinstance(value, list) and all(isinstance(one, str) and _line(one) for one in value),
        Type.LOOSE: number or (isinstance(value, str) and _line(value)),
        Type.ANY: True,
    }
    if value is not None and not fits[kind]:
        raise WrongType(place, kind.value)


def _line(text: str) -> bool:
    return _LINE.match(text) is not None
