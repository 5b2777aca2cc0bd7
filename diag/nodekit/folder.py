"""Fields of a facet from a folder of sysfs, a file a field: one that cannot be read costs that field only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from diag.nodekit.facet import Look
from diag.nodekit.machine import NO_VALUE, Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, word

T = TypeVar("T")
MAX_NUMBER = 2**53 - 1  # as the schema has it; drivers print -1 or all bits set for what they do not know


def value(machine: Machine, path: str) -> str | None:
    """One value, None where there is none; raises OSError where there may be one.

    A device that sleeps, is closed or is being removed answers with an error of its own: no value, not a broken kernel.
    """
    try:
        return word(machine.read_or_none(path))
    except OSError as error:
        if error.errno in NO_VALUE:
            return None
        raise


def number(machine: Machine, path: str) -> int | None:
    """A whole number, None where there is none or the kernel says that it does not know; raises ValueError."""
    text = value(machine, path)
    parsed = -1 if text is None else int(text, 16 if text.startswith("0x") else 10)
    return parsed if 0 <= parsed <= MAX_NUMBER else None


def children(machine: Machine, path: str, pattern: str = "", most: int = 64) -> list[str]:
    """Names in a folder that match a pattern as a whole, in the order of their numbers.

    Raises OSError, and Unevaluated when there are more than `most`, for half a list misleads.
    """
    names = [entry for entry in machine.names(path) if not pattern or re.fullmatch(pattern, entry)]
    if len(names) > most:
        raise Unevaluated(UnknownReason.PRECONDITION, f"there are {len(names)} in {path}, more than the {most} kept")
    return sorted(names, key=_natural)


def _natural(entry: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", entry)]


class Folder:
    """A folder of sysfs whose files are read as fields of the document at `path`."""

    def __init__(self, look: Look, where: str, path: str) -> None:
        self.machine, self.where, self.path = look.machine, where, path
        self._look = look

    def text(self, field: str, file: str | None = None, *, also: tuple[str, ...] = ()) -> str | None:
        """The value of a file, by default of the field's own name; the fields `also` cannot be told without it."""
        return self._at(field, file, lambda path: value(self.machine, path), also)

    def number(self, field: str, file: str | None = None, *, scale: int = 1) -> int | None:
        """A whole number times `scale`, None for what the kernel does not know."""
        read = self._at(field, file, lambda path: number(self.machine, path))
        return None if read is None else read * scale

    def flag(self, field: str, file: str | None = None) -> bool | None:
        """A switch: 0 or 1."""
        read = self._at(field, file, lambda path: number(self.machine, path))
        return None if read is None else read != 0

    def link(self, field: str, file: str | None = None) -> str | None:
        """Last part of what a link of the folder points to."""
        target = self._at(field, file, self.machine.link_name)
        return None if target is None else name(target)

    def has(self, file: str) -> bool:
        """Whether the folder has a file or folder of this name; raises OSError, for much may depend on it."""
        return self.machine.exists(f"{self.where}/{file}")

    def below(self, folder: str, path: str) -> Folder:
        """A folder of this folder, whose fields stand at `path`."""
        return Folder(self._look, f"{self.where}/{folder}", path)

    def _at(
        self, field: str, file: str | None, read: Callable[[str], T | None], also: tuple[str, ...] = ()
    ) -> T | None:
        path = f"{self.where}/{file or field}"
        more = tuple(f"{self.path}.{other}" for other in also)
        return self._look.at(f"{self.path}.{field}", lambda: read(path), path, also=more)
