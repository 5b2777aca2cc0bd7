"""Read DER (ITU-T X.690) element by element, as far as signatures need it: nothing indefinite, nothing left over."""

from dataclasses import dataclass

SEQUENCE = 0x30
SET = 0x31
INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
CONTEXT_0 = 0xA0
CONTEXT_1 = 0xA1

_LONG = 0x80
_MORE_TAG = 0x1F


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and all of its bytes."""

    tag: int
    body: bytes
    raw: bytes

    def inside(self, tag: int) -> "list[Element]":
        """The elements of its content, when it has this tag; raises ValueError."""
        if self.tag != tag:
            raise ValueError("is not built as a signature is")
        return elements(self.body)


def elements(data: bytes) -> list[Element]:
    """All elements of some bytes, one after the other; raises ValueError with half a sentence."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        element = _first(data, at)
        found.append(element)
        at += len(element.raw)
    return found


def only(data: bytes, tag: int) -> Element:
    """The one element that some bytes are; raises ValueError."""
    found = elements(data)
    if len(found) != 1 or found[0].tag != tag:
        raise ValueError("is not built as a signature is")
    return found[0]


def _first(data: bytes, start: int) -> Element:
    if len(data) - start < 2:
        raise ValueError("ends too early")
    tag, length, at = data[start], data[start + 1], start + 2
    if tag & _MORE_TAG == _MORE_TAG:
        raise ValueError("is not built as a signature is")
    if length >= _LONG:
        count = length - _LONG
        octets = data[at : at + count]
        length = int.from_bytes(octets, "big")
        if not 1 <= count <= 4 or len(octets) != count or octets[0] == 0 or length < _LONG:
            raise ValueError("is not encoded as DER is")
        at += count
    if len(data) - at < length:
        raise ValueError("ends too early")
    return Element(tag, data[at : at + length], data[start : at + length])
