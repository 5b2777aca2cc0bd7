"""Names and values of unknown origin, fit for a facet: one short printable line, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

V = TypeVar("V")
MAX_WORD = 120  # characters, as the schema has it
MAX_WORDS = 1000  # in a list, likewise
# What tools and firmware print in place of a value, without the brackets that some of them put around it.
NOTHING = frozenset(
    {
        "", "-", "n/a", "na", "none", "unknown", "not supported", "not available", "not specified", "not applicable",
        "unknown error", "default string", "to be filled by o.e.m.", "system product name",
    }
)  # fmt: skip


def word(text: str | None, limit: int = MAX_WORD) -> str | None:
    """The text on one line of at most `limit` characters, None where it stands for no value."""
    shown = printable(one_line(text or ""), limit)
    return None if shown.strip("[]<> ").lower() in NOTHING else shown


def name(text: str, taken: Collection[str] = ()) -> str:
    """The text as a key that is not yet in `taken`: the second of the same name is `NAME (2)`."""
    first = printable(one_line(text), MAX_WORD - 8) or "unnamed"
    again = 1
    found = first
    while found in taken:
        again += 1
        found = f"{first} ({again})"
    return found


def words(texts: Collection[str], limit: int = MAX_WORD) -> list[str]:
    """The first texts of all sorted, each once, without those that stand for no value."""
    return sorted({shown for shown in (word(text, limit) for text in texts) if shown is not None})[:MAX_WORDS]


def bounded(found: Mapping[str, V], limit: int, what: str) -> dict[str, V]:
    """The map itself; raises Unevaluated when it has more than `limit` entries, for half a list misleads."""
    if len(found) > limit:
        raise Unevaluated(UnknownReason.PRECONDITION, f"there are {len(found)} {what}, more than the {limit} kept")
    return dict(found)
