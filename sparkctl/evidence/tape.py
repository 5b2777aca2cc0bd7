"""The tar in a bundle, read once from its beginning to its end; every byte of it is either expected or content."""

from collections.abc import Iterator
from typing import BinaryIO

from sparkctl import ustar
from sparkctl.errors import UsageError
from sparkctl.evidence.frame import decompressed
from sparkctl.model.printable import printable

_CHANGED = "it was changed after it was sealed, or another program made it"


class Tape:
    """One pass over a tar. Every method raises UsageError when something else stands there."""

    def __init__(self, raw: BinaryIO, named: str) -> None:
        self._parts = decompressed(raw, named)
        self._named = named
        self._part = memoryview(b"")

    def chunks(self, count: int) -> Iterator[memoryview]:
        """The next `count` bytes, in parts."""
        while count:
            part = self._next()
            taken, self._part = part[:count], part[count:]
            count -= len(taken)
            yield taken

    def take(self, count: int) -> bytes:
        """The next `count` bytes; the caller has bounded them."""
        return b"".join(self.chunks(count))

    def expect_header(self, path: str, size: int, moment: int, first: bytes = b"") -> None:
        """The header of a file, of which `first` has been taken before."""
        wanted = ustar.header(path, size, moment)
        found = first + self.take(len(wanted) - len(first))
        if found != wanted:
            raise UsageError(f"{self._named} is no bundle as it was sealed: {_instead(path, found)}", hint=_CHANGED)

    def expect_padding(self, size: int) -> None:
        """What follows after a content of `size` bytes."""
        if any(self.take(-size % ustar.BLOCK)):
            raise UsageError(f"{self._named} is damaged: something stands between two entries", hint=_CHANGED)

    def expect_end(self) -> None:
        """The end of the tar, of the frame, and of the file."""
        end = self.take(len(ustar.END))
        if end != ustar.END:
            words = f"{ustar.kind_in(end)} {printable(ustar.name_in(end), 100)!r} stands beyond its last entry"
            raise UsageError(f"{self._named} holds more than it says: {words}", hint=_CHANGED)
        if len(self._part) or any(map(len, self._parts)):
            raise UsageError(f"{self._named} is damaged: something follows after its end", hint=_CHANGED)

    def _next(self) -> memoryview:
        while not len(self._part):
            part = next(self._parts, None)
            if part is None:
                raise UsageError(f"{self._named} ends before its last entry", hint=_CHANGED)
            self._part = memoryview(part)
        return self._part


def _instead(path: str, found: bytes) -> str:
    """What stands where an entry should begin."""
    if not any(found):
        return f"it ends where {path} should begin"
    return (
        f"where {path} should begin stands {ustar.kind_in(found)} {printable(ustar.name_in(found), 100)!r}, or its"
        " owner, mode, size or time are others"
    )
