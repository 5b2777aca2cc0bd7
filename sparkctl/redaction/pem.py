"""PEM blocks, on lines of their own, within a line, or with whatever a log puts before each line."""

from dataclasses import dataclass

from sparkctl.redaction.edits import Edit
from sparkctl.redaction.linear import Pattern
from sparkctl.redaction.standins import Class, Pseudonyms

RULE = "pem"
BEGIN = b"-----BEGIN "
_MARK = Pattern(r"-----(?:BEGIN|END) [A-Z0-9 ]{1,60}-----", groups=False)
_BODY = Pattern(r"[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]{2,}={1,2}|(?m:^[A-Za-z0-9+/]{1,15}$)", groups=False)
MOST_BYTES = 64 * 1024
"""A block that has not ended by then is none any more."""


@dataclass
class PemState:
    """Whether a block is open, and how many bytes of it have passed."""

    open: bool = False
    passed: int = 0


def pem_edits(data: bytes, start: int, state: PemState, pseudonyms: Pseudonyms) -> list[Edit]:
    """The bodies of PEM blocks from `start` on; `state` goes on from one part of a stream to the next."""
    edits: list[Edit] = []
    at = start
    while at < len(data):
        if not state.open and data.find(BEGIN, at) < 0:
            break
        mark = _MARK.search(data, at, len(data))
        end = len(data) if mark is None else mark.span()[0]
        if state.open:
            edits += _body(data, at, min(end, at + MOST_BYTES - state.passed), pseudonyms)
            state.passed += end - at
        if mark is None:
            state.open = state.open and state.passed < MOST_BYTES
            break
        at = mark.span()[1]
        state.open = data.startswith(BEGIN, mark.span()[0])
        state.passed = 0
    return edits


def _body(data: bytes, start: int, end: int, pseudonyms: Pseudonyms) -> list[Edit]:
    spans = _BODY.spans(data, start, end)
    return [
        Edit(first, last, pseudonyms.of(Class.PEM, data[first:last]), (RULE,) if not at else ())
        for at, (first, last) in enumerate(spans)
    ]
