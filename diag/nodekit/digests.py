"""What a file holds, by its digest."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Digest:
    """The SHA-256 of a content in hexadecimal, and its size in bytes."""

    sha256: str
    size: int


def digest_of(content: bytes) -> Digest:
    """The digest of a content."""
    return Digest(hashlib.sha256(content).hexdigest(), len(content))


def require_within(digest: Digest, limit: int, path: str) -> Digest:
    """The digest itself; raises OSError where it is of more than `limit` bytes, for it may be of a part of the file."""
    if digest.size > limit:
        raise OSError(errno.EFBIG, f"Larger than {limit} bytes", path)
    return digest
