"""A file as evidence: it is hashed where it lies, and not copied."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.inventory.problems import unknown_key_action
from sparkctl.lifecycle.machine import EVIDENCE
from sparkctl.model.ledger import EvidenceRef
from sparkctl.model.printable import printable

MAX_BYTES = 4 * 1024**3
"""The largest file that is taken for evidence, in bytes."""

_CHUNK = 1024 * 1024


def known_kind(kind: str) -> str:
    """A kind of evidence that the lifecycle knows; raises UsageError."""
    if kind not in EVIDENCE:
        action = unknown_key_action(kind, EVIDENCE)
        raise UsageError(f"there is no kind of evidence '{printable(kind, 60)}'", hint=action)
    return kind


def kinds_and_files(texts: Iterable[str]) -> dict[str, Path]:
    """Each `KIND=FILE` of a command line; raises UsageError."""
    found: dict[str, Path] = {}
    for text in texts:
        kind, equals, path = text.partition("=")
        if not equals or not path:
            shown = printable(text, 100)
            raise UsageError(f"'{shown}' is no evidence", hint="write KIND=FILE, such as case.closed=case.pdf")
        if known_kind(kind) in found:
            raise UsageError(f"{kind} is named twice", hint="enter the other file with: sparkctl node evidence")
        found[kind] = Path(path)
    return found


def reference(path: Path) -> EvidenceRef:
    """The name and the digest of a file; raises UsageError when it is not a file that can be read, or is empty."""
    shown = printable(str(path), 300)
    try:
        # A FIFO or a device must not block us before we know what it is.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{shown} is not a regular file", hint="name the document itself")
            digest, size = hashlib.sha256(), 0
            while part := file.read(_CHUNK):
                digest.update(part)
                size += len(part)
                if size > MAX_BYTES:
                    hint = "enter a document that lists its parts with their digests"
                    raise UsageError(f"{shown} is larger than {MAX_BYTES // 1024**3} GiB", hint=hint)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{shown} cannot be read: {reason}", hint="name a file that you may read") from error
    if not size:
        raise UsageError(f"{shown} is empty", hint="an empty file is no evidence")
    return EvidenceRef(name=printable(path.name, 200), sha256=digest.hexdigest())
