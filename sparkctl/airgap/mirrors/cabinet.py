"""Read cabinet archives ([MS-CAB]) within bounds, in the forms that fwupd reads: stored, and MSZIP."""

import struct
import zlib
from dataclasses import dataclass

MAX_CAB = 512 * 2**20
"""Bytes of a cab at most, and of all that is in it. The largest on LVFS is a quarter of it."""

_HEADER = struct.Struct("<4s4xI4xI4xBBHHHHH")
_RESERVED = struct.Struct("<HBB")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_DATA = struct.Struct("<IHH")
_SPANS, _HAS_RESERVED = 0x0003, 0x0004
_KIND, _STORED, _MSZIP = 0x000F, 0, 1
_BLOCK = 32_768
_MAX_FILES = 500
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    start: int
    folder: int


def unpacked(cab: bytes) -> dict[str, bytes]:
    """The contents of a cab by their names, none of which has a folder; raises ValueError with half a sentence."""
    try:
        return _unpacked(cab)
    except (struct.error, IndexError):
        raise ValueError("ends too early") from None
    except zlib.error:
        raise ValueError("is damaged: it cannot be decompressed") from None


def _unpacked(cab: bytes) -> dict[str, bytes]:
    if not cab.startswith(b"MSCF"):
        raise ValueError("is no cab")
    _, _, first_file, _, _, folders, files, flags, _, _ = _HEADER.unpack_from(cab)
    if flags & _SPANS or not 0 < files <= _MAX_FILES or not 0 < folders <= _MAX_FILES:
        raise ValueError("is no cab that fwupd reads: it is one of several, or holds too much or nothing")
    at = _HEADER.size
    folder_extra = data_extra = 0
    if flags & _HAS_RESERVED:
        header_extra, folder_extra, data_extra = _RESERVED.unpack_from(cab, at)
        at += _RESERVED.size + header_extra
    entries = _entries(cab, first_file, files)
    contents: dict[int, bytes] = {}
    left = MAX_CAB
    for number in sorted({entry.folder for entry in entries}):
        if number >= folders:
            raise ValueError("is damaged: a file of it lies nowhere")
        folder = _FOLDER.unpack_from(cab, at + number * (_FOLDER.size + folder_extra))
        contents[number] = _folder(cab, folder, data_extra, left)
        left -= len(contents[number])
    found: dict[str, bytes] = {}
    for entry in entries:
        content = contents[entry.folder][entry.start : entry.start + entry.size]
        if len(content) != entry.size:
            raise ValueError("is damaged: a file of it is not whole")
        found[entry.name] = content
    return found


def _entries(cab: bytes, at: int, count: int) -> list[_Entry]:
    found: dict[str, _Entry] = {}
    total = 0
    for _ in range(count):
        size, start, folder, _, _, _ = _FILE.unpack_from(cab, at)
        at += _FILE.size
        end = cab.find(0, at, at + _MAX_NAME + 1)
        name = cab[at:end].decode("utf-8", "replace") if end > at else ""
        if not name or not name.isprintable() or "/" in name or "\\" in name or name in {".", ".."}:
            raise ValueError("is no cab of firmware: a file in it has no plain name")
        if name in found:
            raise ValueError("is no cab of firmware: two files in it have one name")
        found[name] = _Entry(name, size, start, folder)
        total += size
        if total > MAX_CAB:
            raise ValueError(f"holds more than {MAX_CAB // 2**20} MiB")
        at = end + 1
    return list(found.values())


def _folder(cab: bytes, header: tuple[int, int, int], extra: int, limit: int) -> bytes:
    """All of a folder, block by block; each block of MSZIP is compressed with the one before as its dictionary."""
    at, blocks, kind = header[0], header[1], header[2] & _KIND
    if kind not in {_STORED, _MSZIP}:
        raise ValueError("is compressed in a way that fwupd does not read")
    found = bytearray()
    for _ in range(blocks):
        _, size, whole = _DATA.unpack_from(cab, at)
        at += _DATA.size + extra
        block = cab[at : at + size]
        at += size
        if len(block) != size or whole > _BLOCK:
            raise ValueError("ends too early")
        if kind == _MSZIP:
            if not block.startswith(b"CK"):
                raise ValueError("is damaged: a block of it is none")
            block = zlib.decompressobj(-zlib.MAX_WBITS, zdict=bytes(found[-_BLOCK:])).decompress(block[2:], _BLOCK)
        if len(block) != whole:
            raise ValueError("is damaged: a block of it is not whole")
        found += block
        if len(found) > limit:
            raise ValueError(f"holds more than {MAX_CAB // 2**20} MiB")
    return bytes(found)
