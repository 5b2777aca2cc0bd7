"""Files made from the models: JSON Schemas for everybody, and the node's vocabulary for the programs in `diag/`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from sparkctl.model.alert import Alert, AlertChange, AlertDigest, AlertHistory, Mute
from sparkctl.model.baseline import Baseline, DriftReport
from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.bundle_diff import BundleDiff
from sparkctl.model.bundle_page import BundlePage
from sparkctl.model.bundle_report import BundleReport
from sparkctl.model.certificate import Certificate
from sparkctl.model.collection import CollectReport
from sparkctl.model.control import ControlEnvelope, ControlPhase, ControlResult
from sparkctl.model.delivery import Delivery, OutboxDrop, SinkStatus, SinkTest
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.event import Event
from sparkctl.model.evidence import Disclosure, DsseEnvelope, Manifest, Statement
from sparkctl.model.export_report import ExportReport
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.fleet_page import FleetPage
from sparkctl.model.ingest import IngestRecord
from sparkctl.model.inventory import Fleet
from sparkctl.model.journal import JournalEntry
from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.ledger_checkpoint import Checkpoint, CheckpointNote, LedgerProof
from sparkctl.model.ledger_report import LedgerReport, ProofFound
from sparkctl.model.lifecycle import NodeLifecycle, NodeState
from sparkctl.model.mirror import Promotion, Snapshot
from sparkctl.model.node_page import NodePage
from sparkctl.model.node_record import NodeRecord
from sparkctl.model.ota_report import OtaReport
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Playbook
from sparkctl.model.playbook_status import PlaybookStatus
from sparkctl.model.receiving import Acceptance, AsReceived, PinnedKeys, ReceivingReport, Recorded
from sparkctl.model.redaction import RedactionReport
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.reset_score import ResetScore
from sparkctl.model.reset_tables import END_WORDS, EXPECTED, INITIATOR_WORDS, PANIC_KINDS, PROVES
from sparkctl.model.reset_words import (
    Antecedent,
    Axis,
    Initiator,
    ResetDomain,
    Source,
    SourceState,
    Strength,
    Termination,
    UnknownCause,
)
from sparkctl.model.run import RunRecord
from sparkctl.model.sanitisation import SanitisationJudgement, SanitisationRecord
from sparkctl.model.schedule import Heartbeat, ScheduleStatus
from sparkctl.model.seed import BeaconRead, InstallerReport, SeedBeacon, SeedManifest, SeedPayload, SeedReport
from sparkctl.model.sweep import SweepReport
from sparkctl.model.transfer import HaveList, ScanRecord, StreamPosition, TransferManifest, TransferReceipt
from sparkctl.model.vocabulary import Comparison, Elevation, Origin, Severity, Status, TakenStatus, UnknownReason

DIALECT = "https://json-schema.org/draft/2020-12/schema"

DOCUMENTS: dict[str, type[BaseModel]] = {
    "acceptance": Acceptance,
    "alert": Alert,
    "alert-change": AlertChange,
    "alert-digest": AlertDigest,
    "alert-history": AlertHistory,
    "alert-mute": Mute,
    "as-received": AsReceived,
    "baseline": Baseline,
    "bundle-diff": BundleDiff,
    "bundle-envelope": BundleEnvelope,
    "bundle-page": BundlePage,
    "bundle-report": BundleReport,
    "collect-report": CollectReport,
    "control-envelope": ControlEnvelope,
    "delivery": Delivery,
    "drift-report": DriftReport,
    "event": Event,
    "evidence-disclosure": Disclosure,
    "evidence-envelope": DsseEnvelope,
    "evidence-manifest": Manifest,
    "evidence-statement": Statement,
    "export-report": ExportReport,
    "facts-envelope": FactsEnvelope,
    "fleet": Fleet,
    "fleet-page": FleetPage,
    "health-envelope": HealthEnvelope,
    "host-key-pins": PinnedKeys,
    "ingest": IngestRecord,
    "journal-entry": JournalEntry,
    "ledger-entry": LedgerEntry,
    "mirror-promotion": Promotion,
    "mirror-snapshot": Snapshot,
    "node-lifecycle": NodeLifecycle,
    "ledger-checkpoint": Checkpoint,
    "ledger-checkpoint-note": CheckpointNote,
    "ledger-proof": LedgerProof,
    "ledger-proof-report": ProofFound,
    "ledger-report": LedgerReport,
    "node-page": NodePage,
    "node-record": NodeRecord,
    "node-state": NodeState,
    "ota-report": OtaReport,
    "outbox-drop": OutboxDrop,
    "plan": Plan,
    "playbook": Playbook,
    "playbook-status": PlaybookStatus,
    "receiving-recorded": Recorded,
    "receiving-report": ReceivingReport,
    "redaction-report": RedactionReport,
    "reset-envelope": ResetEnvelope,
    "reset-report": ResetReport,
    "reset-score": ResetScore,
    "run-record": RunRecord,
    "sanitisation-certificate": Certificate,
    "sanitisation-judgement": SanitisationJudgement,
    "sanitisation-record": SanitisationRecord,
    "schedule-heartbeat": Heartbeat,
    "schedule-status": ScheduleStatus,
    "seed-beacon": SeedBeacon,
    "seed-beacon-read": BeaconRead,
    "seed-installer": InstallerReport,
    "seed-manifest": SeedManifest,
    "seed-payload": SeedPayload,
    "seed-report": SeedReport,
    "sink-status": SinkStatus,
    "sink-test": SinkTest,
    "sweep-report": SweepReport,
    "transfer-have": HaveList,
    "transfer-manifest": TransferManifest,
    "transfer-position": StreamPosition,
    "transfer-receipt": TransferReceipt,
    "transfer-scan": ScanRecord,
}
"""Every published document by the name of its schema."""

NODE_WORDS: dict[str, tuple[type[StrEnum], ...]] = {
    "nodekit/vocabulary.py": (Status, UnknownReason, Severity, Elevation, Origin, Comparison, TakenStatus),
    "controllers/words.py": (ControlPhase, ControlResult),
    "reset/words.py": (
        Axis,
        Termination,
        ResetDomain,
        Initiator,
        Strength,
        Source,
        SourceState,
        Antecedent,
        UnknownCause,
    ),
}
"""The words that programs on a node use, by their file in `diag/`."""


NODE_TABLES: dict[str, dict[str, dict[str, str]]] = {
    "reset/tables.py": {
        "PROVES": PROVES,
        "END_WORDS": END_WORDS,
        "INITIATOR_WORDS": INITIATOR_WORDS,
        "PANIC_KINDS": PANIC_KINDS,
        "EXPECTED": EXPECTED,
    },
}
"""The tables that they use, likewise."""


class _SchemaOf2020(GenerateJsonSchema):
    schema_dialect = DIALECT

    def generate(self, schema: Any, mode: Any = "validation") -> dict[str, Any]:
        generated = super().generate(schema, mode=mode)
        return {"$schema": self.schema_dialect, **generated}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one published document, as it is written on the wire."""
    schema = DOCUMENTS[name].model_json_schema(by_alias=True, mode="serialization", schema_generator=_SchemaOf2020)
    return {**schema, "$id": f"urn:sparkctl:schema:{name}:1"}


def schema_file_text(name: str) -> str:
    """The text of `schemas/NAME.schema.json`."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=True, sort_keys=True) + "\n"


def vocabulary_text(name: str) -> str:
    """The text of one file of NODE_WORDS."""
    lines = ['"""Words that cross the wire. Generated by `sparkctl schema export`; do not edit."""', ""]
    for words in NODE_WORDS[name]:
        assert words.__doc__ is not None  # noqa: S101 - a class of the vocabulary without words about it is our bug
        lines += ["", f"class {words.__name__}:", f'    """{words.__doc__}"""', ""]
        lines += [f'    {word.name} = "{word.value}"' for word in words]
        lines += [""]
    return "\n".join(lines).rstrip("\n") + "\n"


def tables_text(name: str) -> str:
    """The text of one file of NODE_TABLES."""
    lines = ['"""Tables that both ends know. Generated by `sparkctl schema export`; do not edit."""', ""]
    for table, rows in NODE_TABLES[name].items():
        lines += [
            f"{table} = {{",
            *(f"    {json.dumps(key)}: {json.dumps(value)}," for key, value in rows.items()),
            "}",
        ]
    return "\n".join(lines) + "\n"


def generated_files(checkout: Path) -> dict[Path, str]:
    """Every generated file of a checkout with the text that it should have."""
    files = {checkout / "schemas" / f"{name}.schema.json": schema_file_text(name) for name in DOCUMENTS}
    files |= {checkout / "diag" / name: tables_text(name) for name in NODE_TABLES}
    return files | {checkout / "diag" / name: vocabulary_text(name) for name in NODE_WORDS}


def stale_files(checkout: Path) -> list[Path]:
    """Generated files that differ from what the models say, or that no model stands behind any more."""
    wanted = generated_files(checkout)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    orphans = [path for path in (checkout / "schemas").glob("*.schema.json") if path not in wanted]
    return sorted([*stale, *orphans])
