"""The content of an entry for eyes: whatever could steer a terminal or a browser is made visible, and it ends."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sparkctl.model.base import CONTROLS, INVISIBLE

HEX_BYTES = 1024
"""Bytes of a binary that are shown."""
MOST_LINE = 4000
"""Characters of a line that are shown."""
_HIDDEN = re.compile(rf"(?!\t)[{CONTROLS}{INVISIBLE}\ud800-\udfff]")
_SAMPLE = 8192


@dataclass(frozen=True, slots=True)
class Shown:
    """The beginning of a content, as printable lines; `left_out` counts bytes of it that are not shown."""

    lines: list[str]
    binary: bool
    left_out: int

    @property
    def text(self) -> str:
        """All lines in one."""
        return "\n".join(self.lines)


def shown(content: Iterable[memoryview], limit: int) -> Shown:
    """Show at most `limit` bytes of a content, which is read to its end in any case: its hash is checked there."""
    kept, total = bytearray(), 0
    for chunk in content:
        kept += chunk[: max(0, limit - len(kept))]
        total += len(chunk)
    data = bytes(kept)
    if is_binary(data):
        return Shown(list(hex_lines(data[:HEX_BYTES])), True, total - min(total, HEX_BYTES))
    return Shown(list(text_lines(data)), False, total - len(data))


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: zeros are among the first of them, or much that is no UTF-8."""
    sample = data[:_SAMPLE]
    return b"\0" in sample or sample.decode("utf-8", "replace").count("\ufffd") > len(sample) // 10


def text_lines(data: bytes) -> Iterator[str]:
    """Lines of a text: what is no UTF-8 and what is not printable as escapes, and long lines cut."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for line in lines:
        text = _HIDDEN.sub(_escape, line.decode("utf-8", "backslashreplace"))
        yield text if len(text) <= MOST_LINE else f"{text[:MOST_LINE]}… {len(text) - MOST_LINE:,} more characters"


def hex_lines(data: bytes) -> Iterator[str]:
    """Sixteen bytes a line: where they stand, in hexadecimal, and those that are ASCII."""
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        ascii_only = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        yield f"{at:08x}  {part.hex(' '):<47}  {ascii_only}"


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
