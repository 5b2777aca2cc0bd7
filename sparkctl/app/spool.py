"""Where the entries of one collection lie until they are sealed: a private folder, removed in every case."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sparkctl.contract.stream import EntryStream
from sparkctl.errors import ContractError
from sparkctl.model.bundle import BundleData, Sent
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError

MAX_ENTRIES = 2500
MAX_OPEN = 8


@dataclass
class _Entry:
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size: int = 0


class Spool:
    """Takes the stream of one node in, an entry a file by its number; `limit` bounds all of them together (bytes).

    Raises TransportError where the stream is not one, or the disk does not take it.
    """

    def __init__(self, folder: Path, nonce: str, limit: int) -> None:
        self.folder = folder
        self._stream = EntryStream(nonce, limit=limit)
        self._entries: dict[int, _Entry] = {}
        self._open: dict[int, BinaryIO] = {}
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise _not_kept(folder, error) from error

    @property
    def taken_bytes(self) -> int:
        """Bytes of the stream so far, as they came."""
        return self._stream.received

    def take(self, data: bytes) -> bytes:
        """Write the entries in a piece of the stream, and return what is not of them."""
        try:
            chunks, outside = self._stream.feed(data)
            for chunk in chunks:
                self._write(chunk.number, chunk.content)
        except ContractError as error:
            raise TransportError(Stage.DECODE, Cause(error.cause), error.message) from error
        except OSError as error:
            raise _not_kept(self.folder, error) from error
        return outside

    def _write(self, number: int, content: bytes) -> None:
        if number not in self._entries and len(self._entries) >= MAX_ENTRIES:
            raise ContractError("too_large", f"the stream has more than {MAX_ENTRIES} entries")
        entry = self._entries.setdefault(number, _Entry())
        entry.digest.update(content)
        entry.size += len(content)
        if number not in self._open:
            if len(self._open) >= MAX_OPEN:
                self._open.pop(next(iter(self._open))).close()
            self._open[number] = place_of(self.folder, number).open("ab")
        self._open[number].write(content)

    def finish(self, data: BundleData) -> None:
        """Hold what came against what the node says that it sent."""
        while self._open:
            self._open.popitem()[1].close()
        announced = dict(enumerate(data.entries))
        if surplus := sorted(self._entries.keys() - announced.keys()):
            raise _damaged(f"entry {surplus[0]} of the stream is not in the document")
        for number, sent in announced.items():
            _hold(self._entries.get(number, _Entry()), sent, number)

    def close(self) -> None:
        """Remove the folder."""
        while self._open:
            self._open.popitem()[1].close()
        shutil.rmtree(self.folder, ignore_errors=True)


def contents(folder: Path, data: BundleData) -> Iterator[tuple[Sent, Path]]:
    """Each entry that brought bytes, with its file."""
    return ((sent, place_of(folder, number)) for number, sent in enumerate(data.entries) if sent.bytes)


def place_of(folder: Path, number: int) -> Path:
    """Where the entry with this number lies."""
    return folder / f"{number:05d}"


def _hold(came: _Entry, sent: Sent, number: int) -> None:
    if came.size != sent.bytes:
        raise _damaged(f"entry {number} of the stream has {came.size} bytes, the document says {sent.bytes}")
    if sent.sha256 is not None and came.digest.hexdigest() != sent.sha256:
        raise _damaged(f"entry {number} of the stream has another digest than the document says")


def _damaged(words: str) -> TransportError:
    return TransportError(Stage.DECODE, Cause.FRAME_DAMAGED, words)


def _not_kept(folder: Path, error: OSError) -> TransportError:
    return TransportError(Stage.RUN, Cause.NOT_KEPT, f"{folder} does not take what came: {error.strerror or error}")
