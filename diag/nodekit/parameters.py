"""What a controller may be told: each parameter with its kind, checked before anything is looked at or done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MAX_JSON = 64 * 1024  # characters
UNIT = r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,199}\.(service|socket|timer|target|path|slice|scope)"
"""The name of a unit of systemd (systemd.unit(5)), without what it escapes with a backslash."""
PACKAGE = r"[a-z0-9][a-z0-9+.-]{1,99}(:[a-z0-9][a-z0-9-]{1,19})?"
"""A package, with its architecture where that is not the native one (Debian policy 5.6.1)."""
VERSION = r"[0-9][A-Za-z0-9.+:~-]{0,99}"
"""A version of a package (Debian policy 5.6.12)."""
KERNEL = r"[0-9][A-Za-z0-9.+~_-]{0,99}"
"""A release of the kernel as `uname -r` prints it."""


class BadParameters(ValueError):
    """What was given is not what the controller takes; the words say which and why."""


class Parameter(Protocol):
    """A kind of value. `about` says what it is for, `required` whether it must be given."""

    @property
    def about(self) -> str:
        """What it is for, in a few words."""

    @property
    def required(self) -> bool:
        """Whether it must be given."""

    @property
    def schema(self) -> dict[str, Any]:
        """The kind as JSON Schema."""

    def read(self, value: Any) -> Any:
        """The value as controllers get it; raises ValueError."""

    def absent(self) -> Any:
        """The value where none was given."""


@dataclass(frozen=True)
class Text:
    """One word that matches a pattern as a whole."""

    about: str
    pattern: str
    required: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        """The kind as JSON Schema."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}

    def read(self, value: Any) -> str:
        """The word."""
        return matching(value, self.pattern)

    def absent(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Flag:
    """Yes or no; no where nothing is said."""

    about: str
    required: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The kind as JSON Schema."""
        return {"type": "boolean"}

    def read(self, value: Any) -> bool:
        """Whether."""
        if not isinstance(value, bool):
            raise BadParameters("must be true or false")
        return value

    def absent(self) -> bool:
        """No."""
        return False


@dataclass(frozen=True)
class Words:
    """A list of different words that match a pattern, at least one; they come in their own order."""

    about: str
    pattern: str
    required: bool = True
    most: int = 50

    @property
    def schema(self) -> dict[str, Any]:
        """The kind as JSON Schema."""
        item = {"type": "string", "pattern": f"^({self.pattern})$"}
        return {"type": "array", "items": item, "minItems": 1, "maxItems": self.most, "uniqueItems": True}

    def read(self, value: Any) -> tuple[str, ...]:
        """The words."""
        if not isinstance(value, list) or not 1 <= len(value) <= self.most:
            raise ValueError(f"must be a list of 1 to {self.most} words")
        words = tuple(matching(word, self.pattern) for word in value)
        if len(set(words)) != len(words):
            raise ValueError("names one twice")
        return words

    def absent(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Pairs:
    """An object of words, at least one, such as a version for each package."""

    about: str
    key: str
    value: str
    required: bool = True
    most: int = 150

    @property
    def schema(self) -> dict[str, Any]:
        """The kind as JSON Schema."""
        return {
            "type": "object", "minProperties": 1, "maxProperties": self.most, "additionalProperties": False,
            "patternProperties": {f"^({self.key})$": {"type": "string", "pattern": f"^({self.value})$"}},
        }  # fmt: skip

    def read(self, value: Any) -> dict[str, str]:
        """The pairs, sorted by their key."""
        if not isinstance(value, dict) or not 1 <= len(value) <= self.most:
            raise ValueError(f"must be an object of 1 to {self.most} words")
        return {matching(key, self.key): matching(value[key], self.value) for key in sorted(value)}

    def absent(self) -> dict[str, str]:
        """None."""
        return {}


def matching(value: Any, pattern: str) -> str:
    """The word, when it matches as a whole; raises ValueError."""
    if not isinstance(value, str):
        raise BadParameters("must be text")
    if not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f"{value[:80]!r} does not match {pattern}")
    return value


def parsed(text: str) -> dict[str, Any]:
    """The object of JSON that was given; raises BadParameters."""
    if len(text) > MAX_JSON:
        raise BadParameters(f"the parameters are longer than {MAX_JSON} characters")
    try:
        found = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadParameters(f"the parameters are not JSON: {str(error)[:200]}") from error
    if not isinstance(found, dict):
        raise BadParameters("the parameters are not an object")
    return found


def read_all(kinds: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter by its name, those that were not given too; raises BadParameters."""
    unknown = sorted(given.keys() - kinds.keys())
    if unknown:
        raise BadParameters(f"there is no parameter {unknown[0][:80]!r}; there are: {', '.join(kinds) or 'none'}")
    return {name: _read(name, kind, given) for name, kind in kinds.items()}


def _read(name: str, kind: Parameter, given: Mapping[str, Any]) -> Any:
    if name not in given:
        if kind.required:
            raise BadParameters(f"the parameter {name!r} is missing")
        return kind.absent()
    try:
        return kind.read(given[name])
    except ValueError as error:
        raise BadParameters(f"{name}: {error}") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")
