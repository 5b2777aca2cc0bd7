"""The contents of a bundle as one deterministic tar, made from any place in it, and read back without trust."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sparkctl import ustar
from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

CHUNK = 256 * 1024
_MOMENT = 0


@dataclass(frozen=True, slots=True)
class Blob:
    """A content by its digest, and where it lies here; `size` in bytes."""

    sha256: str
    size: int
    place: Path


class Source(Protocol):
    """Where the bytes of a tar come from."""

    def read(self, count: int) -> bytes:
        """At most so many bytes, none at the end."""
        ...


def opened(path: Path) -> BinaryIO:
    """A file that is no link; raises OSError. It waits for no other end of a pipe."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def digest_of(path: Path) -> tuple[str, int]:
    """The digest and the size of a file, which is no link; raises OSError."""
    digest, size = hashlib.sha256(), 0
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def copied(source: BinaryIO, copy: BinaryIO) -> str:
    """Copy what is left of a file into another; the digest of it. Raises OSError."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        copy.write(chunk)
    return digest.hexdigest()


def tar_from(blobs: Sequence[Blob], start: int) -> Iterator[bytes]:
    """The tar of contents from byte `start` on, in pieces of at most 256 KiB.

    Raises UsageError when a file is not what it was when it was hashed, OSError when it cannot be read.
    """
    at = 0
    for blob in blobs:
        head = header(blob.sha256, blob.size)
        end = at + len(head) + blob.size + -blob.size % ustar.BLOCK
        if end > start:
            yield from _after(_entry(head, blob), start - at)
        at = end
    yield from _after(iter([ustar.END]), start - at)


def header(sha256: str, size: int) -> bytes:
    """What stands before a content."""
    return ustar.header(f"blobs/{sha256}", size, _MOMENT)


def _entry(head: bytes, blob: Blob) -> Iterator[bytes]:
    yield head
    digest, left = hashlib.sha256(), blob.size
    with opened(blob.place) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left or digest.hexdigest() != blob.sha256:
        raise UsageError(
            f"{printable(str(blob.place), 300)} was changed while it was packed", hint="pack again when nobody writes"
        )
    yield ustar.padding(blob.size)


def _after(pieces: Iterator[bytes], skipped: int) -> Iterator[bytes]:
    """What follows the first `skipped` bytes."""
    for piece in pieces:
        if skipped < len(piece):
            yield piece[max(skipped, 0) :]
        skipped -= min(max(skipped, 0), len(piece))


Sink = Callable[[bytes], object]
"""What takes the content of a file, piece by piece."""


class Reader:
    """One pass over a tar of which every byte but the contents is known; raises UsageError for any other."""

    def __init__(self, source: Source, named: str) -> None:
        self._source, self._named = source, named

    def content(self, sha256: str, size: int, sink: Sink) -> None:
        """The next content, which must be this one; it is checked when all of it has gone to the sink."""
        wanted = header(sha256, size)
        if (found := self._take(len(wanted))) != wanted:
            words = f"{ustar.kind_in(found)} {printable(ustar.name_in(found), 100)!r}" if any(found) else "nothing"
            raise UsageError(f"{self._named} holds {words} where the content {sha256[:12]} should begin", hint=_CHANGED)
        digest, left = hashlib.sha256(), size
        while left:
            chunk = self._take(min(left, CHUNK))
            digest.update(chunk)
            sink(chunk)
            left -= len(chunk)
        if digest.hexdigest() != sha256:
            raise UsageError(f"{self._named}: the content {sha256[:12]} is not what the manifest names", hint=_CHANGED)
        if any(self._take(-size % ustar.BLOCK)):
            raise UsageError(f"{self._named} holds something between two entries", hint=_CHANGED)

    def end(self) -> None:
        """The end of the tar, and of the parts."""
        if self._take(len(ustar.END)) != ustar.END or self._source.read(1):
            raise UsageError(f"{self._named} holds more than its manifest names", hint=_CHANGED)

    def _take(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self._source.read(count - len(content))
            if not piece:
                raise UsageError(f"{self._named} ends before its last content", hint=_CHANGED)
            content += piece
        return content


_CHANGED = "it was not packed by sparkctl, or changed since"
