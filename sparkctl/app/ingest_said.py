"""What a document of the vendor's says about itself, whatever its shape: who, when, how it went, and about whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sparkctl.contract.vendor import Piece, Read
from sparkctl.model.ingest import Said, SaidError
from sparkctl.model.printable import printable
from sparkctl.model.vendor import ForkOutput, OrchestratorRecord, ScriptLine, ToolOutput, VendorDocument, VendorError
from sparkctl.model.vendor_mapping.claims import clean, is_filler
from sparkctl.model.vendor_mapping.taking import tool_of

MAX_ERRORS = 200


@dataclass(frozen=True, slots=True)
class Clues:
    """What may tell the node; `either` is a serial or a host's name in a field that does not say which."""

    serial: str | None = None
    hostname: str | None = None
    either: str | None = None


def said_of(read: Read, piece: Piece) -> Said:
    """Who wrote a document and how that went."""
    document = read.document
    name, _ = tool_of(document, read.content)
    status, failed = _status(document)
    errors = document.errors if isinstance(document, ToolOutput | ForkOutput) else None
    return Said(
        shape=read.shape,
        tool=_word(name),
        version=_word(_version(document)),
        at=_moment(document),
        status=_word(status) or "none",
        failed=failed,
        errors=[_error(item) for item in (errors or [])[:MAX_ERRORS]],
        payload_bytes=piece.payload_bytes,
    )


def clues_of(read: Read) -> Clues:
    """What a document tells about its node, without placeholders."""
    document, identity = read.document, read.taken.facets.get("identity", {})
    if isinstance(document, OrchestratorRecord):
        return Clues(either=_text(document.host))
    serial, hostname = _text(identity.get("serial")), _text(identity.get("hostname"))
    if serial is None:
        known: Mapping[str, Any] = identity.get("identifiers", {})
        serial = _text(known.get("dgx_release.serial", {}).get("value"))
    if isinstance(document, ForkOutput) and document.device_id is not None:
        serial, hostname = serial or _text(document.device_id.serial), hostname or _text(document.device_id.hostname)
    return Clues(None if serial is not None and is_filler(serial) else serial, hostname)


def _status(document: VendorDocument) -> tuple[str, bool]:
    if isinstance(document, ToolOutput):
        return ("ok" if document.ok else "not ok"), not document.ok
    if isinstance(document, OrchestratorRecord):
        return document.status, document.status != "ok" or document.rc != 0
    if isinstance(document, ScriptLine):
        return document.status, document.status != "PASS"
    return document.status, document.status != "ok"


def _version(document: VendorDocument) -> str | None:
    if isinstance(document, ToolOutput):
        return document.meta.version
    return document.tool_version if isinstance(document, ForkOutput) else None


def _moment(document: VendorDocument) -> datetime | None:
    if isinstance(document, ToolOutput):
        return document.meta.collected_at_utc
    if isinstance(document, OrchestratorRecord):
        return document.ts
    return document.moment if isinstance(document, ScriptLine) else document.timestamp_utc


def _error(item: VendorError | str) -> SaidError:
    if isinstance(item, str):
        return SaidError(code=None, message=printable(item, 1000), severity=None)
    return SaidError(code=printable(item.code, 1000), message=printable(item.message, 1000), severity=item.severity)


def _text(value: Any) -> str | None:
    return clean(value) if isinstance(value, str) else None


def _word(text: str | None) -> str | None:
    return printable(text, 120) or None if text is not None else None
