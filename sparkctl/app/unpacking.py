"""Unpack the tar that an isolated tool left, as files by number: no name of the node's becomes a path here.

All of it is bounded: members, bytes after unpacking, and time. What is packed in gzip is unpacked, however little of it
came. Links and devices have no place; what is packed in another way is not looked into and not kept, since nobody could
see what it holds.
"""

import gzip
import io
import re
import tarfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sparkctl.app.entry_origin import kind_of
from sparkctl.app.recorded_tree import escaped_name
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.redaction.redactor import Kind

UNPACKED_BYTES = 32 * 2**20
"""Of one archive. Redaction takes seconds of a processor for so much."""
MOST_MEMBERS = 3000
MOST_NAMED = 100
"""Members left out that are named; the others are counted."""
UNPACK_SECONDS = 30.0
CHUNK = 64 * 1024
LINE = 1024 * 1024
_BLOB_LINE = re.compile(rb"[A-Za-z0-9+/]{76}\n")
"""A full line of base64(1), which tools put binary dumps into their reports with."""
_BLOB_END = re.compile(rb"(?:[A-Za-z0-9+/]{4}){0,18}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)\n?")
_TOP = re.compile(r"sosreport-[^/]+/")
"""The folder that sos puts all into; its name holds that of the host, and the moment."""
_GZIP = b"\x1f\x8b"
_PACKED = (
    _GZIP,
    b"BZh",
    b"\xfd7zXZ\0",
    b"PK\3\4",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf",
    b"\x1f\x9d",
)
"""What begins a file of gzip, bzip2, xz, zip, Zstandard, LZ4, 7-Zip, compress."""
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its path below the top of the report, where it lies, how it is read.

    `words` say what of it is not there.
    """

    path: str
    place: Path
    kind: Kind
    words: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member that is not kept, by its path, or all that are left out for one cause; and why."""

    path: str | None
    reason: UnknownReason
    words: str


@dataclass
class Unpacked:
    """What came of an archive."""

    members: list[Member] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class _NoRoom(Exception):
    """All that one archive may come to is there."""


@dataclass
class _Room:
    """What an archive may still come to: bytes, and seconds by a clock that only goes forward."""

    bytes: int
    until: float

    def take(self, wanted: int) -> int:
        """As many of the bytes wanted as there is room for; raises _NoRoom for none, or where the time is over."""
        if not self.bytes or time.monotonic() > self.until:
            raise _NoRoom
        taken = min(wanted, self.bytes)
        self.bytes -= taken
        return taken


def unpack(archive: Path, folder: Path, *, room: int = UNPACKED_BYTES, members: int = MOST_MEMBERS) -> Unpacked:
    """Unpack into a new folder, a file a member; raises OSError only where the disk does not take it."""
    folder.mkdir(mode=0o700, parents=True)
    return _Unpacking(folder, _Room(room, time.monotonic() + UNPACK_SECONDS), members).of(archive)


class _Unpacking:
    def __init__(self, folder: Path, room: _Room, members: int) -> None:
        self._folder, self._room, self._members = folder, room, members
        self._made, self._unkept = Unpacked(), Counter[tuple[UnknownReason, str]]()

    def of(self, archive: Path) -> Unpacked:
        try:
            with archive.open("rb") as file, tarfile.open(archive, "r:", errors="surrogateescape") as tar:
                self._all(tar, file)
        except _NoRoom:
            words = f"there is room for {self._room_words()}: what came after that is left out"
            self._lose(None, UnknownReason.PRECONDITION, words)
        except _DAMAGE:
            self._lose(
                None, UnknownReason.PARSE_ERROR, "the archive ends early or is damaged: what came before is kept"
            )
        for (reason, words), count in sorted(self._unkept.items()):
            self._lose(None, reason, f"{words}: {count} of them")
        return self._made

    def _room_words(self) -> str:
        return f"{self._members:,} files and {UNPACKED_BYTES // 2**20} MiB of one report, and {UNPACK_SECONDS:g} s"

    def _all(self, tar: tarfile.TarFile, file: BinaryIO) -> None:
        seen = 0
        while (info := tar.next()) is not None:
            seen += 1
            if seen > 3 * self._members or len(self._made.members) >= self._members:
                raise _NoRoom
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                self._unkept[UnknownReason.PRECONDITION, "links, devices and files with holes are left out"] += 1
                continue
            path = _path_of(info.name)
            if path is None:
                self._unkept[UnknownReason.PARSE_ERROR, "files whose names lead elsewhere are left out"] += 1
                continue
            self._one(path, _Content(file, info.offset_data, info.size))

    def _one(self, path: str, content: "_Content") -> None:
        place = self._folder / f"{len(self._made.members):05d}"
        lines, is_full, words = _Lines(self._pieces(content)), False, []
        with place.open("xb") as out:
            try:
                out.writelines(lines)
            except _DAMAGE:
                words.append("it ends early or is damaged: this is what came before")
            except _NoRoom:
                words.append("what comes after this has no room")
                is_full = True
        kind = _kind_of(place)
        if kind is Kind.BINARY:
            place.unlink()
            self._lose(path, UnknownReason.PRECONDITION, "it is no text: nobody could look for secrets in it")
        else:
            if lines.blobs:
                words.append(f"{lines.blobs} lines of base64 are left out: nobody could look for secrets in them")
            self._made.members.append(Member(path.removesuffix(".gz"), place, kind, "; ".join(words) or None))
        if is_full:
            raise _NoRoom

    def _pieces(self, content: "_Content") -> Iterator[bytes]:
        """The content, unpacked, in pieces; raises what damage raises, and _NoRoom."""
        source = gzip.GzipFile(fileobj=content) if content.starts_with(_GZIP) else content
        while piece := source.read1(CHUNK):
            taken = self._room.take(len(piece))
            yield piece[:taken]
            if taken < len(piece):
                raise _NoRoom

    def _lose(self, path: str | None, reason: UnknownReason, words: str) -> None:
        if path is not None and sum(one.path is not None for one in self._made.left_out) >= MOST_NAMED:
            self._unkept[reason, f"{words}; more such files"] += 1
            return
        self._made.left_out.append(LeftOut(path, reason, words))


def _kind_of(place: Path) -> Kind:
    with place.open("rb") as file:
        return Kind.BINARY if file.read(8).startswith(_PACKED) else kind_of(place)


class _Content(io.RawIOBase):
    """The bytes of a member; where the archive ends before them it gives out what there is and then raises EOFError."""

    def __init__(self, archive: BinaryIO, start: int, size: int) -> None:
        self._archive, self._at, self._left = archive, start, size

    def starts_with(self, wanted: bytes) -> bool:
        """Whether these bytes come first."""
        self._archive.seek(self._at)
        return self._archive.read(min(len(wanted), self._left)) == wanted

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self.read1(size)

    def read1(self, size: int = -1, /) -> bytes:
        """At most so many bytes, none at the end."""
        self._archive.seek(self._at)
        piece = self._archive.read(min(size if size >= 0 else CHUNK, self._left))
        if self._left and size and not piece:
            raise EOFError
        self._at, self._left = self._at + len(piece), self._left - len(piece)
        return piece


class _Lines:
    """Pieces as lines, at most so long, without blocks of base64; a piece of a line at a cut is not given out.

    Half of a secret would not be known as one. `blobs` counts the lines of base64.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.blobs = 0

    def __iter__(self) -> Iterator[bytes]:
        in_blob = False
        for line in self._lines():
            ends = in_blob and _BLOB_END.fullmatch(line) is not None
            in_blob = _BLOB_LINE.fullmatch(line) is not None
            if in_blob or ends:
                self.blobs += 1
            else:
                yield line

    def _lines(self) -> Iterator[bytes]:
        waiting = b""
        for piece in self._pieces:
            *whole, waiting = (waiting + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)
            while len(waiting) > LINE:
                yield waiting[:LINE]
                waiting = waiting[LINE:]
        if waiting:
            yield waiting


def _path_of(name: str) -> str | None:
    """The path below the top of a report, None for one that leads elsewhere or to nothing."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or len(parts) < 2:
        return None
    below = "/".join(parts[1:])
    return escaped_name(_TOP.sub("", below, count=1) if _TOP.match(below) else below) or None
