"""Records that are chained, signed or approved by their digest."""

import hashlib

from sparkctl.model.base import Record
from sparkctl.model.canonical import canonical_json


class Hashed(Record):
    """A record with a digest. Nothing is kept of it: a changed copy must never show the digest of what it was."""

    @property
    def canonical(self) -> bytes:
        """The bytes that are hashed, signed and stored: the record as RFC 8785 writes it."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @property
    def sha256(self) -> str:
        """The digest of these bytes."""
        return hashlib.sha256(self.canonical).hexdigest()
