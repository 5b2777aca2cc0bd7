"""How the tar of a bundle is compressed: one Zstandard frame (RFC 8878), and a digest of it in a frame to be skipped.

The frame is read block by block, so that little input never becomes much at once. Its bytes have spare bits that change
nothing in what comes out; the digest makes a flip of these known as well. It guards against rot, not against people.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from sparkctl.errors import UsageError

LEVEL = 3
WINDOW_LOG = 21
HEADER = b"\x28\xb5\x2f\xfd\x04\x58"
"""The magic number; a checksum and no announced size; a window of 2 MiB: as `zstd -3` writes what comes by a pipe."""

DIGEST_HEADER = b"\x5e\x2a\x4d\x18\x20\x00\x00\x00"
"""A frame to be skipped, of 32 bytes: the SHA-256 of all that stands before it."""

MAX_BLOCK = 128 * 1024
MAX_BLOCKS = 2**18  # a compressor may make blocks of 8 KiB, and a bundle holds a little more than 1 GiB
_CHECKSUM = 4
_RLE, _RESERVED = 1, 3
_DAMAGE = "take it from its source again"


class Packer:
    """Compresses into a file: fixed parameters, one thread."""

    def __init__(self, file: BinaryIO) -> None:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            LEVEL, window_log=WINDOW_LOG, write_checksum=True, write_content_size=False, threads=0
        )
        self._stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        self._file, self._digest = file, hashlib.sha256()

    def write(self, content: bytes | memoryview) -> None:
        """The next part of the tar."""
        self._put(self._stream.compress(content))

    def end(self) -> None:
        """The end of the frame, and the digest."""
        self._put(self._stream.flush())
        self._file.write(DIGEST_HEADER + self._digest.digest())

    def _put(self, compressed: bytes) -> None:
        self._digest.update(compressed)
        self._file.write(compressed)


def decompressed(raw: BinaryIO, named: str) -> Iterator[bytes]:
    """The tar in parts of at most 128 KiB; raises UsageError unless all of the file is as `Packer` writes it."""
    stream = zstandard.ZstdDecompressor(max_window_size=2**WINDOW_LOG).decompressobj()
    source = _Source(raw, named)
    try:
        source.expect_header()
        stream.decompress(HEADER)
        for block in _blocks(source, named):
            yield stream.decompress(block)
        yield stream.decompress(source.take(_CHECKSUM))
    except zstandard.ZstdError as error:
        raise UsageError(f"{named} is damaged: its compressed bytes do not hold", hint=_DAMAGE) from error
    source.expect_digest()


def _blocks(source: "_Source", named: str) -> Iterator[bytes]:
    """Each block with its header (RFC 8878, section 3.1.1.2)."""
    for _ in range(MAX_BLOCKS):
        head = source.take(3)
        number = int.from_bytes(head, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        if size > MAX_BLOCK or kind == _RESERVED:
            raise UsageError(f"{named} is damaged: no block of compressed bytes is like this", hint=_DAMAGE)
        yield head + source.take(1 if kind == _RLE else size)
        if last:
            return
    raise UsageError(f"{named} is no bundle: it has more than {MAX_BLOCKS:,} compressed blocks", hint=_DAMAGE)


class _Source:
    """The compressed bytes, and the digest of those that were taken."""

    def __init__(self, raw: BinaryIO, named: str) -> None:
        self._raw, self._named, self._digest = raw, named, hashlib.sha256()

    def take(self, count: int) -> bytes:
        """So many bytes; raises UsageError when there are fewer."""
        content = self._raw.read(count)
        if len(content) < count:
            raise UsageError(f"{self._named} is damaged: it was cut off", hint=_DAMAGE)
        self._digest.update(content)
        return content

    def expect_header(self) -> None:
        """Raises UsageError when the file does not begin as a bundle."""
        if self.take(len(HEADER)) != HEADER:
            raise UsageError(
                f"{self._named} is no bundle of evidence: it does not begin as one",
                hint="a bundle is one Zstandard frame of its own kind; see docs/evidence-format.md",
            )

    def expect_digest(self) -> None:
        """Raises UsageError unless the digest of all before ends the file."""
        wanted = DIGEST_HEADER + self._digest.digest()
        if self.take(len(wanted)) != wanted:
            raise UsageError(
                f"{self._named} is damaged: its last bytes are not the digest of what stands before", hint=_DAMAGE
            )
        if self._raw.read(1):
            raise UsageError(f"{self._named} is damaged: something follows after its end", hint=_DAMAGE)
