"""Names of fields inside facets: `drivers.nvidia.version`, `hardware.pci[000f:01:00.0].link`.

A name of other characters than letters, digits, `_` and `-` stands in brackets; in there, a backslash comes before `]`
and before a backslash.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

Path = tuple[str, ...]
"""The names from the facet down to the field."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_STEP = re.compile(r"\.?([A-Za-z0-9_-]+|\*)|\[((?:[^\]\\]|\\.)*)\]")
_ESCAPED = re.compile(r"\\(.)")
ANY = "\0any"
"""Stands for any one name in a pattern; written `*`. No name has this character, and one may be called `*`: `[*]`."""


def to_text(path: Iterable[str]) -> str:
    """The path as people read and write it."""
    text = ""
    for name in path:
        if name == ANY or _PLAIN.fullmatch(name):
            plain = "*" if name == ANY else name
            text += f".{plain}" if text else plain
        else:
            text += "[" + name.replace("\\", "\\\\").replace("]", "\\]") + "]"
    return text


@lru_cache(maxsize=4096)
def from_text(text: str) -> Path:
    """The names in a path; raises ValueError, saying at which character, when it is none."""
    names: list[str] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (match[1] is not None and (at > 0) != text.startswith(".", at)):
            raise ValueError(f"{text!r} is no name of a field: look at character {at + 1}")
        plain = ANY if match[1] == "*" else match[1]
        names.append(plain if plain is not None else _ESCAPED.sub(r"\1", match[2]))
        at = match.end()
    return tuple(names)


def covers(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether `pattern` names the field or something above it; `*` stands for any one name."""
    return len(pattern) <= len(path) and all(
        name in (ANY, at) for name, at in zip(pattern, path[: len(pattern)], strict=True)
    )


def matches(pattern: Path, data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of a facet's data that a pattern names, with its value."""
    if not pattern:
        yield path, data
    elif isinstance(data, Mapping):
        first, *rest = pattern
        for name in data if first == ANY else (first,):
            if name in data:
                yield from matches(tuple(rest), data[name], (*path, name))


def values(pattern: Path, data: Any) -> list[Any]:
    """The values of every field that a pattern names; cheaper than `matches` where the names are not asked for."""
    found = [data]
    for name in pattern:
        maps = [each for each in found if isinstance(each, dict)]
        found = [value for each in maps for value in _members(each, name)]
    return found


def _members(data: Mapping[str, Any], name: str) -> Collection[Any]:
    if name == ANY:
        return data.values()
    return (data[name],) if name in data else ()
