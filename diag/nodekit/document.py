"""Build the one document of a run and keep it within its limit of bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from diag.nodekit.judge import Document
from diag.nodekit.vocabulary import Severity, Status

FRAME_MAGIC = "sparkctl-frame/1"
Drop = tuple[str, Callable[[Document], int]]
"""A part in words, and what takes it out of the data and says how many items it had."""

WORST_FIRST = (Status.FAIL, Status.WARN, Status.PASS)


def error(code: str, message: str, *, severity: str = Severity.ERROR, **more: str) -> Document:
    """An entry of `errors[]`; `more` may hold `detail` and `hint`."""
    return {"code": code, "message": message, "severity": severity, **more}


def roll_up(findings: list[Document]) -> Document:
    """The worst evaluated status beside how much was evaluated; the bastion computes the same and compares."""
    statuses = [finding["status"] for finding in findings]
    not_applicable = statuses.count(Status.NOT_APPLICABLE)
    evaluated = len(statuses) - not_applicable - statuses.count(Status.UNKNOWN)
    applicable = len(statuses) - not_applicable
    return {
        "worst": next((status for status in WORST_FIRST if status in statuses), None),
        "planned": len(statuses),
        "evaluated": evaluated,
        "not_applicable": not_applicable,
        "completeness": round(evaluated / applicable, 4) if applicable else 1.0,
        "required_unevaluated": sorted(
            finding["check"] for finding in findings if finding["status"] == Status.UNKNOWN and finding["required"]
        ),
    }


def encode(document: Document) -> bytes:
    """One line of UTF-8 JSON; NaN is refused with ValueError."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def fit(document: Document, limit: int, drops: Sequence[Drop]) -> bytes:
    """Encode a document; over `limit` bytes, drop detail, the least telling first, and say what was dropped."""
    encoded = encode(document)
    for part, drop in drops:
        if len(encoded) <= limit:
            return encoded
        dropped = drop(document["data"])
        if dropped:
            document["meta"]["truncated"] = True
            document["meta"]["truncation"].append({"part": part, "dropped": dropped})
        encoded = encode(document)
    if len(encoded) <= limit:
        return encoded
    document["ok"], document["data"] = False, None
    document["errors"] = [error("document.too_large", f"the document does not fit into {limit} bytes")]
    return encode(document)


def write(encoded: bytes, nonce: str | None, sha256: str) -> None:
    """Print the document: framed for the bastion that sent a nonce, plain for a person."""
    if nonce is not None:
        encoded = f"{FRAME_MAGIC} {nonce} {len(encoded)} {sha256}\n".encode("ascii") + encoded
    sys.stdout.buffer.write(encoded + b"\n")
    sys.stdout.buffer.flush()
