"""Documents by content: bytes in, the same bytes out, or an error that says they are not the same."""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from sparkctl.errors import StoreError
from sparkctl.store.schema import documents

# On records of 24 kB zlib leaves about a fifth, zstandard hardly less: not worth a dependency.
CODEC = "zlib"
COLUMNS = (documents.c.sha256, documents.c.codec, documents.c.size, documents.c.content)
"""What `unpack` needs of a row, in its order."""
_LEVEL = 3  # a quarter of the CPU of level 6, for a tenth more bytes

DAMAGED_HINT = "the file was damaged, or changed by another program: restore a backup of the state folder"


@dataclass(frozen=True, slots=True)
class Packed:
    """A document ready to be stored; made outside a transaction, which should be short."""

    sha256: str
    size: int
    content: bytes

    @property
    def row(self) -> dict[str, object]:
        """Its row of the table."""
        return {"sha256": self.sha256, "codec": CODEC, "size": self.size, "content": self.content}


def pack(document: str) -> Packed:
    """The bytes of a document compressed, and the digest of what they were."""
    plain = document.encode()
    return Packed(hashlib.sha256(plain).hexdigest(), len(plain), zlib.compress(plain, _LEVEL))


def put_all(connection: Connection, packed: Iterable[Packed]) -> None:
    """Store documents, but for those that are there already."""
    wanted = {each.sha256: each for each in packed}
    query = select(documents.c.sha256).where(documents.c.sha256.in_(wanted))
    for known in connection.execute(query).scalars():
        del wanted[known]
    if wanted:
        connection.execute(insert(documents), [each.row for each in wanted.values()])


def ids_of(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """The ids of stored documents by digest."""
    query = select(documents.c.sha256, documents.c.id).where(documents.c.sha256.in_(set(digests)))
    return {row.sha256: row.id for row in connection.execute(query)}


def fetch(connection: Connection, sha256: str) -> str:
    """A document that must be there; raises StoreError when it is not, or is damaged."""
    query = select(documents.c.codec, documents.c.size, documents.c.content).where(documents.c.sha256 == sha256)
    row = connection.execute(query).first()
    if row is None:
        raise StoreError(f"the document {sha256} is not in the store", hint=DAMAGED_HINT)
    return unpack(sha256, *row).decode()


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
