"""Read an ISO image: what is in it, as xorriso lists it, and the bytes themselves, which are read here."""

import hashlib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sparkctl.airgap.images import run_tool
from sparkctl.airgap.iso_boot import BLOCK, BootRecords, boot_records
from sparkctl.errors import UsageError

SECONDS = 3600.0
"""How long xorriso may take for one image of several GiB on a slow disk."""
CHUNK = 2**20
JOLIET = (b"%/@", b"%/C", b"%/E")
"""Escape sequences of a Joliet tree, in its volume descriptor."""

_FIRST, _MOST = 16, 64  # where volume descriptors begin (ECMA-119, 6.7.1), and how many are read
_TERMINATOR = 255
_TREES = (1, 2)
_EXTENT = re.compile(r"File data lba: +(\d+) , +(\d+) , +(\d+) , +(\d+) , ('.*')")
_NODE = re.compile(r"([-dlbcpse][-rwxsStT+]{9,10} +\d+ +\S+ +\S+ +(?:\d+|\d+, *\d+) +[A-Z][a-z]{2} +\d+ +[\d:]+) ('.*)")

Descriptor = tuple[int, bytes, bytes, bytes]
"""Of a volume descriptor its type, and of one with a tree its escape sequences, its names, and its dates."""

Extents = tuple[tuple[int, int], ...]
"""Where the bytes of a file lie: start and size in bytes, in order."""


@dataclass(frozen=True, slots=True)
class IsoImage:
    """An ISO image in a file that nobody changes meanwhile.

    `size` is what its descriptor says, in bytes. `nodes` has of each path type, mode, owner, size, date and link target
    in one line, `files` where its bytes lie.
    """

    path: Path
    size: int
    descriptors: tuple[Descriptor, ...]
    nodes: dict[str, str]
    files: dict[str, Extents]
    boot: BootRecords

    @property
    def joliet(self) -> bool:
        """Whether it has a second tree of names, for Windows."""
        return any(escapes in JOLIET for _, escapes, _, _ in self.descriptors)

    def bytes_of(self, extents: Extents) -> Iterator[bytes]:
        """The bytes in these places, as far as they are there. Raises OSError."""
        with self.path.open("rb") as file:
            for start, size in extents:
                file.seek(start)
                left = size
                while left > 0 and (chunk := file.read(min(left, CHUNK))):
                    yield chunk
                    left -= len(chunk)

    def digest(self, extents: Extents) -> str:
        """SHA-256 of the bytes in these places."""
        digest = hashlib.sha256()
        for chunk in self.bytes_of(extents):
            digest.update(chunk)
        return digest.hexdigest()

    def read(self, name: str, limit: int) -> bytes:
        """A file of at most `limit` bytes; raises KeyError when there is none, ValueError when it is larger."""
        extents = self.files[name]
        if sum(size for _, size in extents) > limit:
            raise ValueError(f"{name} has more than {limit:,} bytes")
        return b"".join(self.bytes_of(extents))


def looked_into(path: Path, named: str) -> IsoImage:
    """What is in the image at `path`, which messages call `named`. Raises UsageError."""
    with path.open("rb") as file:
        size = require_whole(file, named)
        descriptors = tuple(_named(one) for one in _descriptors(file))
    try:
        boot = boot_records(_asked(path, "-report_el_torito", "plain", "-report_system_area", "plain"))
        nodes = dict(_nodes(_asked(path, "-find", "/", "-exec", "lsdl", "--")))
        files = _files(_asked(path, "-find", "/", "-exec", "report_lba", "--"))
    except (ValueError, IndexError, KeyError) as error:
        raise UsageError(
            f"{named} cannot be read: xorriso says of it what is not understood", hint="get it again"
        ) from error
    return IsoImage(path, size, descriptors, nodes, files, boot)


def require_whole(file: BinaryIO, named: str) -> int:
    """How large the image is by its own words, in bytes; raises UsageError when it is none, or is cut off."""
    first = next(_descriptors(file), b"")
    if len(first) < BLOCK or first[0] != 1 or first[1:6] != b"CD001":
        raise UsageError(f"{named} is no ISO image", hint="name the .iso file of an installer")
    size = int.from_bytes(first[80:84], "little") * BLOCK
    there = file.seek(0, 2)
    if there < size:
        raise UsageError(f"{named} is cut off: {there:,} of {size:,} bytes are there", hint="get it again")
    return size


def _descriptors(file: BinaryIO) -> Iterator[bytes]:
    file.seek(_FIRST * BLOCK)
    for _ in range(_MOST):
        found = file.read(BLOCK)
        if len(found) < BLOCK or found[1:6] != b"CD001":
            return
        yield found
        if found[0] == _TERMINATOR:
            return


def _named(descriptor: bytes) -> Descriptor:
    """Of a tree, its names and its dates (ECMA-119, 8.4 and 8.5); of anything else its kind alone."""
    if descriptor[0] not in _TREES:
        return descriptor[0], b"", b"", b""
    return descriptor[0], descriptor[88:120].rstrip(b"\0"), descriptor[8:72], descriptor[813:847]


def _asked(path: Path, *question: str) -> str:
    # By its bare name: a path of the operator's may hold what xorriso takes for an address.
    return run_tool(
        "xorriso", "-no_rc", "-indev", f"stdio:{path.name}", *question, cwd=path.parent, seconds=SECONDS
    )  # fmt: skip


def _nodes(listing: str) -> Iterator[tuple[str, str]]:
    for line in listing.splitlines():
        match = _NODE.fullmatch(line)
        if match is None:
            raise ValueError(line)
        name, *target = shlex.split(match[2])
        yield name, " ".join((*match[1].split(), *target))


def _files(listing: str) -> dict[str, Extents]:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    lines = [line for line in listing.splitlines() if not line.startswith("Report layout:")]
    for line in lines:
        match = _EXTENT.fullmatch(line)
        if match is None:
            raise ValueError(line)
        (name,) = shlex.split(match[5])
        start, blocks, size = (int(match[number]) for number in (2, 3, 4))
        left = size - sum(taken for _, taken in found[name])
        found[name].append((start * BLOCK, min(blocks * BLOCK, left)))
    return {name: tuple(extents) for name, extents in found.items()}
