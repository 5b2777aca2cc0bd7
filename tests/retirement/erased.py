"""Records of sanitisation for the tests: a drive that was purged as it should be, and whatever else may come of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sparkctl.model.sanitisation import (
    Destruction,
    DestructionTechnique,
    Drive,
    EraseAttempt,
    Markers,
    Person,
    RecordRef,
    SanitisationRecord,
    SanitiseLog,
    SanitiseState,
    Technique,
    TpmEvidence,
    TpmState,
)

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
ALL_SANITIZE = 0b111
SANACT = {Technique.SANITIZE_CRYPTO: 4, Technique.SANITIZE_BLOCK: 2, Technique.SANITIZE_OVERWRITE: 3}
GOOD_MARKERS = Markers(count=64, digest="ab" * 32, seed="5e" * 16, read_back=64, found=0)


def log(state: SanitiseState, minutes: int = 0, progress: int = 65535, cdw10: int = 0, **more: Any) -> SanitiseLog:
    erased = more.get("global_erased", state is SanitiseState.SUCCEEDED)
    return SanitiseLog(
        at=AT + timedelta(minutes=minutes), state=state, progress=progress, cdw10=cdw10, global_erased=erased
    )


def attempt(technique: Technique = Technique.SANITIZE_CRYPTO, **changed: Any) -> EraseAttempt:
    """One that succeeded."""
    action = SANACT.get(technique, 0)
    fields: dict[str, Any] = {
        "technique": technique,
        "argv": ["/usr/sbin/nvme", "sanitize", "/dev/nvme0", f"--sanact={action}"],
        "tool": "nvme-cli",
        "tool_version": "2.8",
        "started_at": AT,
        "ended_at": AT + timedelta(minutes=3),
        "exit_status": 0,
        "serial_after": "DRIVE1",
        "log": [
            log(SanitiseState.NEVER),
            log(SanitiseState.RUNNING, 1, 20000, action),
            log(SanitiseState.SUCCEEDED, 3, 65535, action),
        ],
        "markers": GOOD_MARKERS,
    }
    return EraseAttempt(**(fields | changed))


def drive(*attempts: EraseAttempt, **changed: Any) -> Drive:
    fields: dict[str, Any] = {
        "device": "nvme0n1",
        "manufacturer": "Samsung",
        "model": "PM9E1 4TB",
        "serial": "DRIVE1",
        "firmware": "1.0",
        "bytes": 4 * 10**12,
        "sanicap": ALL_SANITIZE,
        "fna": 0b100,
        "attempts": list(attempts),
    }
    return Drive(**(fields | changed))


def tpm_state(**changed: Any) -> TpmState:
    fields: dict[str, Any] = {
        "at": AT, "owner_auth": False, "endorsement_auth": False, "lockout_auth": False, "owner_handles": 0,
        "owner_nv": 0,
    }  # fmt: skip
    return TpmState(**(fields | changed))


def tpm(**changed: Any) -> TpmEvidence:
    fields: dict[str, Any] = {"before": tpm_state(owner_auth=True), "after": tpm_state(), "exit_status": 0}
    return TpmEvidence(**(fields | changed))


def person(name: str = "Ann Operator") -> Person:
    return Person(name=name, title="Technician", location="Hall 3", contact="ops@example.org", at=AT)


def destruction(serial: str = "DRIVE1") -> Destruction:
    return Destruction(
        serial=serial, technique=DestructionTechnique.SHRED, tool="Example 4000", largest_mm=2.0,
        performed_by=person("Sid Shredder"), witnessed_by=person("Wes Witness"),
    )  # fmt: skip


def record(*drives: Drive, **changed: Any) -> SanitisationRecord:
    fields: dict[str, Any] = {
        "node_id": "spark07",
        "machine_serial": "MACHINE7",
        "machine_model": "DGX Spark",
        "property_number": "INV-4711",
        "source": "MACHINE7, rack a1",
        "classification": "confidential",
        "classification_after": "none",
        "backup": "none was kept",
        "destination": "Example Recycling",
        "identity_checked": "receipt 2026-01-12",
        "drives": list(drives) or [drive(attempt())],
        "tpm": tpm(),
        "performed_by": person(),
        "verified_by": person("Bob Verifier"),
        "validated_by": person("Vic Validator"),
        "records": [RecordRef(name="act-1.json", sha256="cd" * 32)],
    }
    return SanitisationRecord(**(fields | changed))
