"""Edits: what is replaced where. They are made first, put in order, and applied in one go."""

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Bytes `start` to `end` become `new`, by these rules."""

    start: int
    end: int
    new: bytes
    rules: tuple[str, ...]


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """From left to right without overlap: of two that overlap the longer one stays."""
    chosen: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, -one.end)):
        if not chosen or edit.start >= chosen[-1].end:
            chosen.append(edit)
        elif edit.end - edit.start > chosen[-1].end - chosen[-1].start:
            chosen[-1] = edit
    return chosen


def applied(data: bytes, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> bytes:
    """The bytes from `start` to `end` with edits, which are in order, applied."""
    parts, at = [], start
    for edit in edits:
        parts += [data[at : edit.start], edit.new]
        at = edit.end
    parts.append(data[at:end])
    return b"".join(parts)
