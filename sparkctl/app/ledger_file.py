"""Documents of the ledger in files: checkpoints that are handed on, and proofs; and files that entries rest on."""

import hashlib
from pathlib import Path
from typing import TypeVar

from sparkctl.atomic_file import replace_file
from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, UsageError
from sparkctl.evidence.documents import MAX_DOCUMENT, parsed
from sparkctl.model.base import Record
from sparkctl.model.canonical import canonical_json
from sparkctl.model.ledger import EvidenceRef
from sparkctl.model.printable import printable

RecordT = TypeVar("RecordT", bound=Record)


def read_document(kind: type[RecordT], path: Path) -> RecordT:
    """A document in a file, however its JSON is laid out; raises UsageError with what is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a file that sparkctl ledger wrote") from error
    if len(content) > MAX_DOCUMENT:
        raise UsageError(f"{path} is larger than {MAX_DOCUMENT // 2**20} MiB", hint="no document of the ledger is")
    try:
        return parsed(kind, canonical_json(strict_json.parse(content)), str(path))
    except (ContractError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {printable(str(error))}", hint="is it damaged?") from error


def write_document(document: Record, path: Path) -> None:
    """Write a document as canonical JSON and a line end, whole or not at all; raises UsageError."""
    try:
        replace_file(path, canonical_json(document.model_dump(mode="json")) + b"\n", 0o644)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def evidence_of(path: Path) -> EvidenceRef:
    """A file as evidence: its name and digest. Raises UsageError."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a file that is evidence") from error
    return EvidenceRef(name=printable(path.name, 1000), sha256=digest)
