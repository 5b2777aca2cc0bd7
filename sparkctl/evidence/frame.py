"""The one Zstandard frame (RFC 8878) of a bundle, read block by block: little input never becomes much at once."""

from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from sparkctl.errors import UsageError

LEVEL = 3
WINDOW_LOG = 21
HEADER = b"\x28\xb5\x2f\xfd\x04\x58"
"""The magic number; a checksum and no announced size; a window of 2 MiB: as `zstd -3` writes what comes by a pipe."""

MAX_BLOCK = 128 * 1024
MAX_BLOCKS = 2**18  # a compressor may make blocks of 8 KiB, and a bundle holds a little more than 1 GiB
_CHECKSUM = 4
_RLE, _RESERVED = 1, 3
_DAMAGE = "take it from its source again"


def compressor() -> "zstandard.ZstdCompressionObj":
    """What writes the frame: fixed parameters, one thread."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW_LOG, write_checksum=True, write_content_size=False, threads=0
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compressobj()


def decompressed(raw: BinaryIO, named: str) -> Iterator[bytes]:
    """The content in parts of at most 128 KiB; raises UsageError unless it is one whole frame and nothing else."""
    stream = zstandard.ZstdDecompressor(max_window_size=2**WINDOW_LOG).decompressobj()
    try:
        if (head := raw.read(len(HEADER))) != HEADER:
            raise _no_bundle(named) if len(head) == len(HEADER) or not HEADER.startswith(head) else _cut_off(named)
        stream.decompress(HEADER)
        for block in _blocks(raw, named):
            yield stream.decompress(block)
        yield stream.decompress(_exactly(raw, _CHECKSUM, named))
    except zstandard.ZstdError as error:
        raise UsageError(f"{named} is damaged: its compressed bytes do not hold", hint=_DAMAGE) from error
    if not stream.eof or raw.read(1):
        raise UsageError(f"{named} is damaged: something follows after its end", hint=_DAMAGE)


def _blocks(raw: BinaryIO, named: str) -> Iterator[bytes]:
    """Each block with its header (RFC 8878, section 3.1.1.2)."""
    for _ in range(MAX_BLOCKS):
        head = _exactly(raw, 3, named)
        number = int.from_bytes(head, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        if size > MAX_BLOCK or kind == _RESERVED:
            raise UsageError(f"{named} is damaged: no block of compressed bytes is like this", hint=_DAMAGE)
        yield head + _exactly(raw, 1 if kind == _RLE else size, named)
        if last:
            return
    raise UsageError(f"{named} is no bundle: it has more than {MAX_BLOCKS:,} compressed blocks", hint=_DAMAGE)


def _exactly(raw: BinaryIO, count: int, named: str) -> bytes:
    content = raw.read(count)
    if len(content) < count:
        raise _cut_off(named)
    return content


def _cut_off(named: str) -> UsageError:
    return UsageError(f"{named} is damaged: it was cut off", hint=_DAMAGE)


def _no_bundle(named: str) -> UsageError:
    return UsageError(
        f"{named} is no bundle of evidence: it does not begin as one",
        hint="a bundle is one Zstandard frame; see docs/evidence-format.md",
    )
