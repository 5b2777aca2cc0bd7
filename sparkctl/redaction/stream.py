"""A stream in blocks: whole lines where there are lines, and where there are none, up to what is certain."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from sparkctl.redaction.edits import Edit

BLOCK = 256 * 1024
CONTEXT = 64
"""Bytes before a block that are looked at and not changed."""
OVERLAP = 8 * 1024
"""What a block without a line's end holds back, so that nothing is cut in two."""
LEAD = 128
"""Bytes before a value in which the words stand by which it is known."""
Find = Callable[[bytes, int], list[Edit]]
Piece = tuple[bytes, int, int, list[Edit]]
"""Bytes, from where to where of them is done with, and the edits within."""


def pieces(source: BinaryIO, find: Find, separator: bytes, block: int = BLOCK) -> Iterator[Piece]:
    """Read a stream to its end; `find` gets bytes and where in them to start, and gives edits in order."""
    context, pending = b"", b""
    overlap = min(OVERLAP, block // 4)
    while True:
        more = source.read(block - len(pending))
        data, start = context + pending + more, len(context)
        if not more:
            if pending:
                yield data, start, len(data), find(data, start)
            return
        cut = data.rfind(separator, start) + 1 if separator else 0
        if cut > start:
            yield data[:cut], start, cut, find(data[:cut], start)
        elif len(data) - start < block:
            cut = start
        else:
            edits = find(data, start)
            cut = _cut(data, start, len(data) - overlap, edits)
            yield data, start, cut, [edit for edit in edits if edit.end <= cut]
        context, pending = data[max(0, cut - CONTEXT) : cut], data[cut:]


def _cut(data: bytes, start: int, wanted: int, edits: list[Edit]) -> int:
    """Where to cut near `wanted`: in no edit, in nothing by which one is known, and in no escape.

    An edit that fills the whole block is done with as it is.
    """
    done = max((edit.end for edit in edits if edit.end <= wanted), default=start)
    ahead = next((edit for edit in edits if edit.end > wanted), None)
    cut = wanted if ahead is None else max(done, min(wanted, ahead.start - LEAD))
    if cut > start:
        cut = max(done, _before_escape(data, start, cut))
    return cut if cut > start or ahead is None else ahead.end


def _before_escape(data: bytes, start: int, cut: int) -> int:
    escape = max(data.rfind(b"\\", max(start, cut - 12), cut), data.rfind(b"%", max(start, cut - 2), cut))
    while escape > start and data[escape - 1 : escape] == b"\\":
        escape -= 1
    return escape if escape > start else cut
