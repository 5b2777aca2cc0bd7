"""Binary files: what is replaced keeps its length, so that every offset in the file still holds."""

import uuid
from collections.abc import Iterator

from sparkctl.redaction.edits import Edit
from sparkctl.redaction.known import Known
from sparkctl.redaction.linear import Pattern, literal
from sparkctl.redaction.scan import Scanner
from sparkctl.redaction.standins import Class, Pseudonyms

RULE = "raw.bytes"
FILLER = b"x"
_PRINTABLE = Pattern(r"[\x20-\x7e\t\r\n]{4,}", groups=False)
_WIDE = Pattern(r"(?:[\x20-\x7e\t\r\n]\x00){4,}", groups=False)


class BinaryFinder:
    """Finds text, text of two bytes a character (UTF-16LE), and known identifiers as raw bytes."""

    def __init__(self, scanner: Scanner, known: Known, pseudonyms: Pseudonyms) -> None:
        self._scanner = scanner
        self._raw = _raw_forms(known, pseudonyms)
        self._needles = Pattern("|".join(map(literal, self._raw)), groups=False) if self._raw else None

    def edits(self, data: bytes, start: int) -> Iterator[Edit]:
        """Everything to be replaced, each by as many bytes."""
        for first, last in _PRINTABLE.spans(data, start):
            for edit in self._scanner.whole(data[first:last]):
                yield _same_length(edit, first, 1)
        for first, last in _WIDE.spans(data, start):
            for edit in self._scanner.whole(data[first:last:2]):
                yield _same_length(edit, first, 2)
        if self._needles is not None:
            for first, last in self._needles.spans(data, start):
                yield Edit(first, last, self._raw[data[first:last]], (RULE,))


def fitted(text: bytes, length: int) -> bytes:
    """Text cut or filled up to a length."""
    return text[:length].ljust(length, FILLER)


def _same_length(edit: Edit, offset: int, width: int) -> Edit:
    text = fitted(edit.new, edit.end - edit.start)
    if width == 2:
        text = b"".join(bytes((byte, 0)) for byte in text)
    return Edit(offset + edit.start * width, offset + edit.end * width, text, edit.rules)


def _raw_forms(known: Known, pseudonyms: Pseudonyms) -> dict[bytes, bytes]:
    """Known UUIDs in both byte orders (SMBIOS and EFI swap the first three fields) and MAC addresses, raw."""
    forms: dict[bytes, bytes] = {}
    for kind, value in known:
        digits = bytes(byte for byte in value if byte not in b":-.").decode("ascii", "replace")
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            continue
        if kind is Class.UUID and len(raw) == 16:
            made = bytes.fromhex(pseudonyms.of(kind, digits.encode()).decode())
            forms[raw] = made
            forms[uuid.UUID(bytes=raw).bytes_le] = uuid.UUID(bytes=made).bytes_le
        elif kind is Class.MAC and len(raw) == 6:
            forms[raw] = pseudonyms.hardware(raw)
    return {raw: made for raw, made in forms.items() if raw != made}
