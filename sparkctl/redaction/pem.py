"""PEM blocks, on lines of their own, within a line, or with whatever a log puts before each line."""

from dataclasses import dataclass
from typing import NamedTuple

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
    """Whether a block is open, how many bytes of it have passed, and whether it holds a private key."""

    open: bool = False
    passed: int = 0
    private: bool = False


class Body(NamedTuple):
    """A run of base64 from `start` to `end` in a block; `first` of those that lie together."""

    start: int
    end: int
    first: bool
    private: bool


def pem_bodies(data: bytes, start: int, state: PemState) -> list[Body]:
    """The bodies of PEM blocks from `start` on; `state` goes on from one part of a stream to the next."""
    bodies: list[Body] = []
    at = start
    while at < len(data):
        if not state.open and data.find(BEGIN, at) < 0:
            break
        mark = _MARK.search(data, at, len(data))
        end = len(data) if mark is None else mark.span()[0]
        if state.open:
            spans = _BODY.spans(data, at, min(end, at + MOST_BYTES - state.passed))
            bodies += [Body(first, last, not number, state.private) for number, (first, last) in enumerate(spans)]
            state.passed += end - at
        if mark is None:
            state.open = state.open and state.passed < MOST_BYTES
            break
        first, at = mark.span()
        state.open = data.startswith(BEGIN, first)
        state.private = b"PRIVATE" in data[first:at]
        state.passed = 0
    return bodies


def pem_edits(data: bytes, bodies: list[Body], pseudonyms: Pseudonyms) -> list[Edit]:
    """What becomes of bodies, counted once for each block."""
    return [
        Edit(body.start, body.end, pseudonyms.of(Class.PEM, data[body.start : body.end]), (RULE,) if body.first else ())
        for body in bodies
    ]
