"""Documents by content: canonical bytes in, the same bytes out, or an error that says they are not the same."""

import hashlib
import zlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from sparkctl.contract.canonical import canonical_json
from sparkctl.errors import StoreError
from sparkctl.model.base import Record
from sparkctl.store.schema import documents

# On records of 24 kB zlib leaves about a fifth, zstandard hardly less: not worth a dependency.
CODEC = "zlib"
_LEVEL = 3  # a quarter of the CPU of level 6, for a tenth more bytes

DAMAGED_HINT = "the file was damaged, or changed by another program: restore a backup of the state folder"


@dataclass(frozen=True, slots=True)
class Packed:
    """A document ready to be stored; made outside a transaction, which should be short."""

    sha256: str
    size: int
    content: bytes


def pack(document: Record) -> Packed:
    """Canonical bytes of a document, their digest, and the bytes compressed."""
    plain = canonical_json(document.model_dump(mode="json", by_alias=True))
    return Packed(hashlib.sha256(plain).hexdigest(), len(plain), zlib.compress(plain, _LEVEL))


def put(connection: Connection, packed: Packed) -> None:
    """Store a document unless it is there already."""
    known = select(documents.c.sha256).where(documents.c.sha256 == packed.sha256)
    if connection.execute(known).first() is None:
        row = {"sha256": packed.sha256, "codec": CODEC, "size": packed.size, "content": packed.content}
        connection.execute(insert(documents), row)


def unpack(sha256: str, codec: str, size: int, content: bytes) -> bytes:
    """The bytes that were stored; raises StoreError when they are not those of the digest any more."""
    if codec != CODEC:
        raise StoreError(f"the document {sha256} is packed as {codec!r}, which this sparkctl does not know")
    try:
        # One byte more than promised is enough to see a lie; a damaged row must not fill the memory.
        plain = zlib.decompressobj().decompress(content, size + 1)
    except zlib.error as error:
        raise StoreError(f"the document {sha256} cannot be unpacked ({error})", hint=DAMAGED_HINT) from error
    if hashlib.sha256(plain).hexdigest() != sha256:
        raise StoreError(f"the document {sha256} does not match its digest", hint=DAMAGED_HINT)
    return plain
