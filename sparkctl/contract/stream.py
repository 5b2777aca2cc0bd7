"""The stream of a bundle as it arrives: noise, a first line, frames of packed bytes, and at their end the document.

Written for a hostile sender: nothing grows past what was announced, and nothing announced past what is allowed.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sparkctl.errors import ContractError

STREAM_MAGIC = "sparkctl-stream/1"
FRAME = struct.Struct(">cHII")
CHUNK = 64 * 1024
"""The most bytes that a frame may unpack to."""
MAX_PACKED = CHUNK + 1024  # what does not shrink grows by a few bytes
MAX_FRAMES = 200_000
"""An honest node sends some thousands; each costs us time, however little is in it."""
_DATA, _END = b"D", b"E"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some bytes of the entry with this number."""

    number: int
    content: bytes


class EntryStream:
    """Cuts a stream into chunks; `limit` bounds their bytes in all, unpacked.

    `received` counts what was of the stream as it came, packed, with marks and frames.
    """

    def __init__(self, nonce: str, *, limit: int) -> None:
        self._mark = f"{STREAM_MAGIC} {nonce}\n".encode("ascii")
        self._limit = limit
        self._waiting = bytearray()
        self._begun = self._is_over = False
        self.received = self._raw = self._frames = 0

    def feed(self, data: bytes) -> tuple[list[Chunk], bytes]:
        """The chunks that are whole now, and the bytes before and behind the stream; raises ContractError."""
        if self._is_over:
            return [], data
        self._waiting += data
        outside = b"" if self._begun else self._skip_noise()
        chunks = list(self._whole_frames()) if self._begun else []
        if self.ended:
            outside += bytes(self._waiting)
            self._waiting.clear()
        self.received += len(data) - len(outside)
        return chunks, outside

    @property
    def ended(self) -> bool:
        """Whether the last frame has come."""
        return self._is_over

    def _skip_noise(self) -> bytes:
        start = self._waiting.find(self._mark)
        self._begun = start >= 0
        # The mark itself may be on its way: so many bytes could be its beginning.
        end = start if self._begun else max(len(self._waiting) - len(self._mark) + 1, 0)
        noise = bytes(self._waiting[:end])
        del self._waiting[: end + len(self._mark) * self._begun]
        return noise

    def _whole_frames(self) -> Iterator[Chunk]:
        """The frames that are whole, up to the one that says the end."""
        start = 0
        while len(self._waiting) >= start + FRAME.size:
            kind, number, packed, raw = FRAME.unpack_from(self._waiting, start)
            end = start + FRAME.size + packed
            if kind == _END:
                self._is_over = True
                start = end
                break
            if kind != _DATA or packed > MAX_PACKED or not 0 < raw <= CHUNK:
                raise ContractError("frame_damaged", "a frame of the stream is not one")
            if len(self._waiting) < end:
                break
            self._count(raw)
            yield Chunk(number, _unpacked(bytes(self._waiting[end - packed : end]), raw))
            start = end
        del self._waiting[:start]

    def _count(self, raw: int) -> None:
        self._raw += raw
        self._frames += 1
        if self._frames > MAX_FRAMES:
            raise ContractError("too_large", f"the stream has more than {MAX_FRAMES:,} frames")
        if self._raw > self._limit:
            raise ContractError("too_large", f"the entries have more than the {self._limit} bytes allowed")


def _unpacked(packed: bytes, raw: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, raw + 1)
    except zlib.error as error:
        raise ContractError("frame_damaged", "a frame of the stream cannot be unpacked") from error
    if len(content) != raw or not unpacker.eof or unpacker.unused_data:
        raise ContractError("frame_damaged", "a frame of the stream has another length than it says")
    return content
