"""Views: bytes as they read once escapes are resolved, with a way back from there to where they are written."""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sparkctl.redaction.edits import Edit
from sparkctl.redaction.linear import Pattern

ESCAPE = Pattern(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r'|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|["\\/bfnrt])',
    groups=False,
)
"""Escapes of JSON, and the `\\x2d` and `\\040` of systemd and the kernel."""
PERCENT = Pattern(r"%[0-9A-Fa-f]{2}", groups=False)
CODED = Pattern(r'\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|["\\/bfnrt])|%[0-9A-Fa-f]{2}', groups=False)
"""Anything that one of the views resolves."""
_SHORT = {ord('"'): b'"', ord("\\"): b"\\", ord("/"): b"/", ord("b"): b"\b", ord("f"): b"\f", ord("n"): b"\n",
          ord("r"): b"\r", ord("t"): b"\t"}  # fmt: skip


def unescaped(escape: bytes) -> bytes:
    """What an escape that ESCAPE matches stands for, in UTF-8."""
    mark = escape[1]
    if mark == 0x75:
        units = b"".join(int(escape[at : at + 4], 16).to_bytes(2, "big") for at in range(2, len(escape), 6))
        return units.decode("utf-16-be", "replace").encode()
    if mark == 0x78:
        return bytes((int(b"0" + escape[1:], 0),))
    return _SHORT[mark] if len(escape) == 2 else bytes((int(escape[1:], 8),))


def unquoted(escape: bytes) -> bytes:
    """What `%41` stands for."""
    return bytes((int(escape[1:], 16),))


@dataclass
class View:
    """Resolved bytes; piece i of them begins at `starts[i]` and is written at `places[i]`.

    Pieces with an even number are written as they read, those with an odd number are escapes.
    """

    data: bytes
    starts: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def back(self, edit: Edit) -> Edit:
        """The same edit where it is written."""
        return edit._replace(start=self._place(edit.start), end=self._end(edit.end))

    def apart(self, edit: Edit) -> list[Edit]:
        """The edit where it is written; one that keeps its length leaves the escapes of what it keeps."""
        if len(edit.new) != edit.end - edit.start or self._piece(edit.start) == self._piece(edit.end - 1):
            return [self.back(edit)]
        parts: list[Edit] = []
        at = 0
        while at < len(edit.new):
            if edit.new[at] == self.data[edit.start + at]:
                at += 1
                continue
            end = at
            while end < len(edit.new) and edit.new[end] != self.data[edit.start + end]:
                end += 1
            parts.append(Edit(edit.start + at, edit.start + end, edit.new[at:end], edit.rules if not parts else ()))
            at = end
        return [self.back(part) for part in parts]

    def _piece(self, at: int) -> int:
        return bisect.bisect_right(self.starts, at) - 1

    def _place(self, at: int) -> int:
        piece = self._piece(at)
        return self.places[piece] + (0 if piece % 2 else at - self.starts[piece])

    def _end(self, at: int) -> int:
        piece = self._piece(at - 1)
        return self.places[piece + 1] if piece % 2 else self.places[piece] + at - self.starts[piece]


def view(data: bytes, escapes: Pattern, resolve: Callable[[bytes], bytes], start: int, end: int) -> View | None:
    """The bytes from `start` to `end` with escapes resolved, None where there are none."""
    found: Sequence[tuple[int, int]] = escapes.spans(data, start, end)
    if not found:
        return None
    made, starts, places, at, size = [], [], [], start, 0
    for first, last in found:
        plain, resolved = data[at:first], resolve(data[first:last])
        starts += [size, size + len(plain)]
        places += [at, first]
        made += [plain, resolved]
        size += len(plain) + len(resolved)
        at = last
    made.append(data[at:end])
    return View(b"".join(made), [*starts, size], [*places, at])
