"""What a mapping says about one document: which of its fields means which of ours, and which is not taken and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sparkctl.model.facets.paths import Path
from sparkctl.model.vendor_mapping.outline import Place

# What tools and firmware write where there is nothing to say, without the brackets around it.
_NOTHING = frozenset(
    {
        "", "-", "n/a", "na", "none", "null", "unknown", "not supported", "not available", "not specified",
        "not applicable", "unknown error", "default string", "to be filled by o.e.m.", "system product name",
        "system serial number", "??.??.??.??.??",
    }
)  # fmt: skip
HOLDS_NOTHING = "it holds nothing, or a placeholder"


@dataclass(frozen=True, slots=True)
class Claim:
    """A field of the document that means a field of ours, with the value that it has there."""

    source: Place
    field: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Left:
    """A field of the document that this document gives no reason to take."""

    source: Place
    reason: str


Said: TypeAlias = "Claim | Left"


@dataclass(frozen=True, slots=True)
class Part:
    """An object in a document whose types an outline has checked; what is absent is as good as null."""

    value: dict[str, Any]
    place: Place = field(default=())

    def part(self, name: str) -> "Part":
        """An object inside, an empty one where there is none."""
        inside = self.value.get(name)
        return Part(inside if isinstance(inside, dict) else {}, (*self.place, name))

    def rows(self, name: str) -> "Iterator[Part]":
        """The objects of a list."""
        for number, row in enumerate(self.value.get(name) or ()):
            yield Part(row, (*self.place, name, number))

    def text(self, name: str) -> str | None:
        """A text on one line, None for a placeholder."""
        value = self.value.get(name)
        return clean(value) if isinstance(value, str) else None

    def claim(self, name: str, path: Path, value: Any) -> Iterator[Claim]:
        """That `name` means `path`, unless there is no value."""
        if value is not None:
            yield Claim((*self.place, name), path, value)

    def take(self, name: str, path: Path) -> Iterator[Claim]:
        """That a field means one of ours with the same value: texts without placeholders, the rest as it is."""
        value = self.value.get(name)
        yield from self.claim(name, path, clean(value) if isinstance(value, str) else value)

    def leave(self, reason: str, *names: str) -> Iterator[Left]:
        """That fields are not taken; all of the part where none is named."""
        for name in names or self.value:
            yield Left((*self.place, name), reason)


def clean(text: str) -> str | None:
    """The text with single blanks, None where it stands for no value."""
    shown = " ".join(text.split())
    return None if shown.strip("[]<> ").lower() in _NOTHING else shown


def is_filler(serial: str) -> bool:
    """Whether a serial or UUID is nothing but zeros, or one character again and again."""
    return len(set(serial.lower()) - {"-"}) <= 1
