"""Documents of transfer bundles in files, the folder where a stream's position is kept, and words for a full disk."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sparkctl.airgap.blobs import opened
from sparkctl.airgap.held import held
from sparkctl.airgap.layout import MAX_MANIFEST
from sparkctl.atomic_file import replace_file, written_over
from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, UsageError
from sparkctl.model.base import Record
from sparkctl.model.canonical import canonical_json
from sparkctl.model.printable import printable
from sparkctl.model.transfer import StreamPosition

RecordT = TypeVar("RecordT", bound=Record)
_NOT_YOURS = "run it as somebody who may read and write there, or name another folder"
_NEXT = {
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.EROFS: "it is mounted read-only: name another folder",
    errno.ELOOP: "a bundle holds no links: take it from its source again",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def told(place: Path) -> Iterator[None]:
    """Make a UsageError, of one sentence, of what a disk does not do; that nobody reads our output is no such thing."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise UsageError(
                f"{place} is full: {error.strerror}",
                hint="make room and run the same command again; it goes on where it stopped",
            ) from error
        if error.errno == errno.EXDEV or (error.errno == errno.EPERM and error.filename2):
            raise UsageError(f"{place} is on a file system without hard links", hint="name another folder") from error
        where = error.filename2 or error.filename or place  # of two, that which was to be made
        raise UsageError(f"{printable(str(where), 300)}: {error.strerror}", hint=_NEXT.get(error.errno or 0)) from error


def canonical(document: Record) -> bytes:
    """A document as it is written and hashed (RFC 8785)."""
    return canonical_json(document.model_dump(mode="json"))


def read_bounded(path: Path, limit: int) -> bytes:
    """A regular file of at most `limit` bytes; raises UsageError."""
    try:
        with opened(path) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(limit + 1) if regular else b""
    except FileNotFoundError as error:
        raise UsageError(f"there is no {printable(str(path), 300)}", hint="is all of the bundle there?") from error
    except OSError as error:
        raise UsageError(f"{printable(str(path), 300)}: {error.strerror}", hint=_NEXT.get(error.errno or 0)) from error
    if not regular:
        raise UsageError(f"{printable(str(path), 300)} is no file", hint="whoever packed it put none there")
    if len(content) > limit:
        raise UsageError(f"{path} is larger than {limit // 2**20} MiB", hint="no file of a bundle is")
    return content


def parsed(kind: type[RecordT], content: bytes, named: str) -> RecordT:
    """A document that is written canonically; raises UsageError for any other."""
    try:
        document = kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        words = ": ".join(word for word in (where, first["msg"]) if word)
        raise UsageError(f"{named} is not what it should be: {printable(words, 300)}", hint="is it damaged?") from error
    if canonical(document) != content:
        raise UsageError(f"{named} is not canonical JSON", hint="it was changed, or another program made it")
    return document


def read_document(kind: type[RecordT], path: Path) -> RecordT:
    """A document in a file, however its JSON is laid out; raises UsageError."""
    content = read_bounded(path, MAX_MANIFEST)
    try:
        return parsed(kind, canonical_json(strict_json.parse(content)), str(path))
    except (ContractError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {printable(str(error))}", hint="is it damaged?") from error


def write_document(document: Record, path: Path) -> None:
    """Write a document as canonical JSON, whole or not at all; raises UsageError."""
    with told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, canonical(document), 0o644)


@contextlib.contextmanager
def document_over(path: Path, content: bytes) -> Iterator[None]:
    """Have a document on the disk, to take its name when the block ends, and not if it fails; raises UsageError."""
    with contextlib.ExitStack() as waiting:
        with told(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = waiting.enter_context(written_over(path, 0o644))
            left = memoryview(content)
            while left:  # past the buffer, whose end would fail a second time, and with other words
                left = left[os.write(file.fileno(), left) :]
            os.fsync(file.fileno())
        yield


def utc_now() -> datetime:
    """The moment, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


class Desk:
    """The folder `airgap` in the state folder: positions of streams, scans, and what the far side has."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "airgap"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the desk while the block lasts; raises BusyError when somebody else does."""
        with told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(self._folder, f"another command of `sparkctl airgap` works with {self._folder}"):
                yield

    def packed(self, stream: str) -> StreamPosition | None:
        """The last bundle of a stream that was packed here."""
        return self._position("packed", stream)

    def note_packed(self, position: StreamPosition) -> None:
        """Note the last bundle that was packed."""
        write_document(position, self._folder / "packed" / f"{position.stream}.json")

    def applied(self, stream: str) -> StreamPosition | None:
        """The last bundle of a stream that was applied here."""
        return position_in(self.applied_place(stream))

    def applied_place(self, stream: str) -> Path:
        """Where it is noted which bundle of a stream was the last that was applied."""
        return self._folder / "applied" / f"{stream}.json"

    def manifest_of(self, name: str) -> Path:
        """Where the manifest of a bundle that was packed here is kept."""
        return self._folder / "manifests" / f"{name}.json"

    def scan_of(self, manifest_sha256: str) -> Path:
        """Where it is kept what a scan said of a bundle."""
        return self._folder / "scans" / f"{manifest_sha256}.json"

    def have_of(self, stream: str) -> Path:
        """Where it is kept what the far side has, as its last receipt says."""
        return self._folder / "far" / f"{stream}.json"

    def _position(self, kind: str, stream: str) -> StreamPosition | None:
        return position_in(self._folder / kind / f"{stream}.json")


def position_in(path: Path) -> StreamPosition | None:
    """The position in a file, if there is one; raises UsageError."""
    return read_document(StreamPosition, path) if path.exists() else None
