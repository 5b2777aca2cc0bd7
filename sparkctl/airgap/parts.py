"""The tar of a bundle in parts of a size that a medium holds; each part is a Zstandard frame of its own.

`cat` joins them, and `zstd -d` reads what comes of that. A pack that was killed goes on after its last whole part: a
journal says where in the tar each part ends.
"""

import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from sparkctl.airgap.blobs import CHUNK, Blob, digest_of, opened, tar_from
from sparkctl.airgap.journal import Written, noted, read_journal
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import UsageError
from sparkctl.model.transfer import MAX_PARTS, TransferPart, part_name

LEVEL = 3
WINDOW_LOG = 21  # 2 MiB; a reader needs no more memory than that
MIN_PART = 2**20
_ROOM = CHUNK + CHUNK // 128 + 1024  # what one piece more can come to, and the end of a frame (RFC 8878)


def write_parts(folder: Path, blobs: Sequence[Blob], part_size: int) -> list[TransferPart]:
    """Write what is not yet written of the parts, none larger than `part_size` bytes, at least 1 MiB; all of them.

    Raises UsageError when a file was changed meanwhile or there are too many parts, OSError.
    """
    done = _sound(folder)
    pieces = _even(tar_from(blobs, done[-1].end if done else 0))
    at = done[-1].end if done else 0
    for number in itertools.count(len(done) + 1):
        first = next(pieces, None)
        if first is None:
            break
        if number > MAX_PARTS:
            raise UsageError(f"there would be more than {MAX_PARTS:,} parts", hint="take a larger --part-size")
        pieces = itertools.chain([first], pieces)
        part, taken = _write(folder / part_name(number), pieces, part_size)
        at += taken
        done.append(Written(part=part, end=at))
        noted(folder, done[-1])
    return [written.part for written in done]


def _sound(folder: Path) -> list[Written]:
    """The parts that are whole, from the first on; every other is removed."""
    found: list[Written] = []
    for written in read_journal(folder):
        path = folder / written.part.name
        if written.part.name != part_name(len(found) + 1) or not path.is_file():
            break
        if digest_of(path) != (written.part.sha256, written.part.size):
            break
        found.append(written)
    kept = {written.part.name for written in found}
    for path in folder.glob("blobs.tar.zst.*"):
        if path.name not in kept:
            path.unlink()
    return found


def _even(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of 256 KiB, the last one shorter."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= CHUNK:
            yield bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
    if waiting:
        yield bytes(waiting)


def _write(path: Path, pieces: Iterator[bytes], part_size: int) -> tuple[TransferPart, int]:
    """One part, and how many bytes of the tar are in it; it has its name when it is whole."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW_LOG, write_checksum=True, write_content_size=False, threads=0
    )
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    digest, size, taken = hashlib.sha256(), 0, 0
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        # A block that is flushed says how large the part has become; otherwise the compressor holds back what it will.
        for piece in pieces:
            packed = stream.compress(piece) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
            file.write(packed)
            digest.update(packed)
            size, taken = size + len(packed), taken + len(piece)
            if size + _ROOM > part_size:
                break
        packed = stream.flush()
        file.write(packed)
        digest.update(packed)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
    return TransferPart(name=path.name, size=size + len(packed), sha256=digest.hexdigest()), taken


class Joined:
    """The tar in parts that follow each other; a reader gets at most what it asks for, whatever a part would swell to.

    Raises UsageError for bytes that are not compressed as `write_parts` does.
    """

    def __init__(self, paths: Sequence[Path], named: str) -> None:
        self._named, self._parts = named, _Concatenated(paths)
        decompressor = zstandard.ZstdDecompressor(max_window_size=2**WINDOW_LOG)
        self._stream = decompressor.stream_reader(cast("BinaryIO", self._parts), read_across_frames=True)

    def read(self, count: int) -> bytes:
        """At most so many bytes, none at the end."""
        try:
            return self._stream.read(count)
        except zstandard.ZstdError as error:
            raise UsageError(
                f"{self._named}: its compressed bytes do not hold", hint="it was not packed by sparkctl"
            ) from error

    def close(self) -> None:
        """Close the part that is open."""
        self._parts.close()


class _Concatenated:
    """Files one after the other, one open at a time: there may be more of them than a process may have open."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._waiting = iter(paths)
        self._file: BinaryIO | None = None

    def read(self, count: int = -1) -> bytes:
        while True:
            if self._file is not None and (content := self._file.read(count)):
                return content
            self.close()
            if (path := next(self._waiting, None)) is None:
                return b""
            self._file = opened(path)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
