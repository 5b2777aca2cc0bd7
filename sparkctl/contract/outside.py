"""Judge documents as an outsider would: with nothing but the published JSON Schemas."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sparkctl.contract import strict_json
from sparkctl.contract.generated import json_schema
from sparkctl.errors import ContractError

NAME_OF_SCHEMA = {
    "sparkctl.run-record/1": "run-record",
    "sparkctl.sweep-report/1": "sweep-report",
    "sparkctl.health/1": "health-envelope",
    "sparkctl.fleet/1": "fleet",
    "sparkctl.fleet-page/1": "fleet-page",
    "sparkctl.node-page/1": "node-page",
    "sparkctl.facts/1": "facts-envelope",
    "sparkctl.collect-report/1": "collect-report",
    "sparkctl.baseline/1": "baseline",
    "sparkctl.drift-report/1": "drift-report",
    "sparkctl.ota-report/1": "ota-report",
    "sparkctl.ingest/1": "ingest",
    "sparkctl.reset/1": "reset-envelope",
    "sparkctl.reset-report/1": "reset-report",
    "sparkctl.reset-score/1": "reset-score",
    "sparkctl.bundle/1": "bundle-envelope",
    "sparkctl.control/1": "control-envelope",
    "sparkctl.journal-entry/1": "journal-entry",
    "sparkctl.ledger-entry/1": "ledger-entry",
    "sparkctl.node-record/1": "node-record",
    "sparkctl.plan/1": "plan",
    "sparkctl.playbook/1": "playbook",
    "sparkctl.playbook-status/1": "playbook-status",
    "sparkctl.node-lifecycle/1": "node-lifecycle",
    "sparkctl.node-state/1": "node-state",
    "sparkctl.receiving-recorded/1": "receiving-recorded",
    "sparkctl.seed-beacon/1": "seed-beacon",
    "sparkctl.seed-beacon-read/1": "seed-beacon-read",
    "sparkctl.seed-installer/1": "seed-installer",
    "sparkctl.seed-manifest/1": "seed-manifest",
    "sparkctl.seed-payload/1": "seed-payload",
    "sparkctl.seed-report/1": "seed-report",
    "sparkctl.receiving-report/1": "receiving-report",
    "sparkctl.as-received/1": "as-received",
    "sparkctl.acceptance/1": "acceptance",
    "sparkctl.host-key-pins/1": "host-key-pins",
    "sparkctl.ledger-checkpoint/1": "ledger-checkpoint",
    "sparkctl.ledger-checkpoint-note/1": "ledger-checkpoint-note",
    "sparkctl.ledger-proof/1": "ledger-proof",
    "sparkctl.ledger-proof-report/1": "ledger-proof-report",
    "sparkctl.ledger-report/1": "ledger-report",
    "sparkctl.bundle-report/1": "bundle-report",
    "sparkctl.bundle-diff/1": "bundle-diff",
    "sparkctl.bundle-page/1": "bundle-page",
    "sparkctl.alert/1": "alert",
    "sparkctl.alert-change/1": "alert-change",
    "sparkctl.alert-digest/1": "alert-digest",
    "sparkctl.alert-history/1": "alert-history",
    "sparkctl.alert-mute/1": "alert-mute",
    "sparkctl.redaction-report/1": "redaction-report",
    "sparkctl.sanitisation-certificate/1": "sanitisation-certificate",
    "sparkctl.sanitisation-judgement/1": "sanitisation-judgement",
    "sparkctl.sanitisation-record/1": "sanitisation-record",
    "sparkctl.schedule-heartbeat/1": "schedule-heartbeat",
    "sparkctl.schedule-status/1": "schedule-status",
    "sparkctl.export-report/1": "export-report",
    "sparkctl.event/1": "event",
    "sparkctl.outbox-drop/1": "outbox-drop",
    "sparkctl.sink-test/1": "sink-test",
    "sparkctl.sink-status/1": "sink-status",
    "sparkctl.delivery/1": "delivery",
    "spark-evidence/1": "evidence-manifest",
    "spark-evidence/1 disclosure": "evidence-disclosure",
    "urn:sparkctl:spark-evidence:1": "evidence-statement",
    "application/vnd.in-toto+json": "evidence-envelope",
    "sparkctl.mirror-promotion/1": "mirror-promotion",
    "sparkctl.mirror-snapshot/1": "mirror-snapshot",
    "sparkctl.transfer-have/1": "transfer-have",
    "sparkctl.transfer-manifest/1": "transfer-manifest",
    "sparkctl.transfer-position/1": "transfer-position",
    "sparkctl.transfer-receipt/1": "transfer-receipt",
    "sparkctl.transfer-scan/1": "transfer-scan",
}
"""From what a document says that it is, in one of NAMED_IN or in `meta.schema`, to the name of its JSON Schema."""

NAMED_IN = ("schema", "format", "predicateType", "payloadType")
"""Where a document says what it is: in `schema`, and those of a bundle of evidence where their own formats have it."""


def complaints(text: bytes) -> Iterator[tuple[int, str]]:
    """Line number and complaint for every document in `text` that its schema does not allow.

    `text` is one document or one per line.
    """
    for number, line in documents(text):
        complaint = complaint_about(line)
        if complaint is not None:
            yield number, complaint


def documents(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The documents of a file with the lines they begin on: the whole file if it is one, else one per line."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > 1:
        try:
            strict_json.parse(text)
        except ContractError:
            yield from lines
            return
        yield lines[0][0], text
        return
    yield from lines


def complaint_about(document: bytes) -> str | None:
    """Why a document is not what its own `schema` says, or None when it is."""
    try:
        content = strict_json.parse(document)
    except ContractError as error:
        return error.message
    schema = _named_schema(content)
    name = NAME_OF_SCHEMA.get(schema) if isinstance(schema, str) else None
    if name is None:
        return f"it names no schema of ours: {schema!r}"
    worst = best_match(_validator(name).iter_errors(content))
    return None if worst is None else f"{name}: {worst.json_path}: {worst.message[:300]}"


def _named_schema(content: Any) -> Any:
    if not isinstance(content, dict):
        return None
    meta = content.get("meta")
    named = next((content[key] for key in NAMED_IN if key in content), None)
    return named or (meta.get("schema") if isinstance(meta, dict) else None)


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER)
