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
    """From left to right without overlap: one within another goes; of two that overlap the second begins later."""
    chosen: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, -one.end)):
        if not chosen or edit.start >= chosen[-1].end:
            chosen.append(edit)
        elif edit.end > chosen[-1].end:
            chosen.append(_from(edit, chosen[-1].end))
    return chosen


def _from(edit: Edit, start: int) -> Edit:
    """The rest of an edit; one that keeps a length goes on keeping it."""
    keeps_length = len(edit.new) == edit.end - edit.start
    return edit._replace(start=start, new=edit.new[start - edit.start :] if keeps_length else edit.new)


def applied(data: bytes, edits: Iterable[Edit], start: int = 0, end: int | None = None) -> bytes:
    """The bytes from `start` to `end` with edits, which are in order, applied."""
    parts, at = [], start
    for edit in edits:
        parts += [data[at : edit.start], edit.new]
        at = edit.end
    parts.append(data[at:end])
    return b"".join(parts)
