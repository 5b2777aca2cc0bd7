"""Reset documents for tests, valid by construction, with any part replaced."""

import json
from datetime import UTC, datetime
from typing import Any

from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_tables import END_WORDS, INITIATOR_WORDS, PROVES
from sparkctl.model.reset_tree import is_under, leaves_under
from sparkctl.model.reset_words import ANY, Axis
from sparkctl.model.run import RunRecord, Visit
from sparkctl.model.vocabulary import Origin, Outcome
from tests.support.envelopes import envelope

RUN_ID = "20261125T080000Z-abcdef"


CODES = {"orderly": ("PLANNED_REBOOT", "OSSoftRestart"), "disorderly.panic": ("KERNEL_PANIC_OR_OOPS", "SystemCrash")}
UNTOLD = ("UNKNOWN", "Unknown")


def boot(number: int) -> str:
    """A boot id; 0 is the running boot, 1 the one before it."""
    return f"{number:08x}-0000-4000-8000-00000000b007"


def transition(index: int = 0, **parts: Any) -> dict[str, Any]:
    """The end of one boot; `termination`, `reset_domain` and `initiator` are claims, the rest replaces whole parts."""
    claims = {axis.value: parts.pop(axis.value, ANY) for axis in Axis}
    ended = claims["termination"]
    at_risk = "yes" if is_under(ended, "disorderly") else "unknown"
    vendor, redfish = next((codes for branch, codes in CODES.items() if is_under(ended, branch)), UNTOLD)
    proofs = [_proof(axis, claim, index) for axis, claim in claims.items() if claim != ANY]
    return {
        "index": index,
        "from_boot_id": boot(1 - index),
        "to_boot_id": boot(-index),
        "claims": claims,
        "open": {axis.value: list(leaves_under(axis, claims[axis.value])) for axis in Axis},
        "strength": {axis: "S0" if claim == ANY else "S2" for axis, claim in claims.items()},
        "flat": {
            "words": parts.pop("words", said(ended, claims["initiator"])),
            "expected": parts.pop("expected", "unknown"),
            "data_at_risk": at_risk,
            "vendor_reason": vendor,
            "redfish_last_reset_cause": redfish,
        },
        "antecedents": [],
        "unknown_reasons": [
            {"axis": axis, "cause": "no_witness", "detail": "nothing bears on it"}
            for axis, claim in claims.items()
            if claim == ANY
        ],
        "conflicts": [],
        "proof": proofs,
        "window": {"last_sign_s": 3600.0 * (2 - index), "gap_s": 25.0},
        "would_decide": ["a witness"],
        "arm_now": ["arm the watchdog"] if index == 0 else [],
        **parts,
    }


def said(ended: str, initiator: str) -> str:
    """The claims in words."""
    words = [next((table[branch] for branch in branches(path) if branch in table), None)
             for table, path in ((END_WORDS, ended), (INITIATOR_WORDS, initiator))]  # fmt: skip
    return "; ".join(word for word in words if word)


def branches(path: str) -> list[str]:
    """A path, the branches above it, and `any`."""
    parts = path.split(".")
    return [*(".".join(parts[:length]) for length in range(len(parts), 0, -1)), ANY]


def rule_for(axis: str, path: str) -> str:
    """A rule that proves this, or the name of one that there is not."""
    proving = (rule for rule, proven in PROVES.items() if (rule.partition(".")[0], proven) == (axis, path))
    return next(proving, f"{axis}.tested/1")


def _proof(axis: str, path: str, index: int) -> dict[str, Any]:
    return {
        "axis": axis,
        "path": path,
        "rule": rule_for(axis, path),
        "strength": "S2",
        "premises": [f"o{1 - index}"],
        "absent": ["from:kernel_panic"],
    }


def observation(number: int, **parts: Any) -> dict[str, Any]:
    """Observation `oN`, of boot N unless said otherwise."""
    return {
        "id": f"o{number}",
        "source": "journal",
        "kind": "final_target",
        "boot_id": boot(number),
        "at_s": 3599.0,
        "locator": f"journalctl -b {number}",
        "excerpt": f"systemd: Reached target {number}",
        "value": None,
        **parts,
    }


def document(*transitions: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A reset envelope as a node would send it; `observations`, `sources` and `witnesses` may be replaced."""
    ends = list(transitions) or [transition(termination="orderly.reboot")]
    meta = parts.pop("meta", {})
    whole = envelope(schema="sparkctl.reset/1", tool="reset_reason_reporter", **meta)
    whole["meta"]["node"]["boot_id"] = boot(0)
    whole["data"] = {
        "transitions": ends,
        "observations": [observation(1 - end["index"]) for end in ends],
        "sources": [{"source": "journal", "state": "read", "detail": None}],
        "witnesses": {**dict.fromkeys(WITNESSES), "boot_id": boot(0), "uptime_s": 7200.0},
        **parts,
    }
    return whole


WITNESSES = (
    "boot_id", "uptime_s", "journal_persistent", "pstore_backend", "watchdog_identity", "watchdog_state",
    "watchdog_bootstatus", "panic_timeout_s", "crash_kernel_loaded", "unsafe_shutdowns", "power_cycles",
    "tpm_reset_count", "tpm_restart_count", "tpm_clock_ms", "tpm_clock_safe",
)  # fmt: skip


def encoded(whole: dict[str, Any]) -> bytes:
    """The bytes of a document."""
    return json.dumps(whole).encode()


def reset_record(node_id: str, *transitions: dict[str, Any], **parts: Any) -> RunRecord:
    """The record of a node that told how its boots ended."""
    seen = ResetEnvelope.model_validate_json(encoded(document(*transitions, **parts)))
    return RunRecord(
        tool="sparkctl test",
        ts=datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
        host=node_id,
        status="ok",
        rc=0,
        duration_ms=1200,
        summary={},
        warnings=[],
        artifacts=[],
        run_id=RUN_ID,
        node_id=node_id,
        outcome=Outcome.REPORTED,
        simulated=seen.meta.origin is Origin.SIMULATED,
        visit=Visit(stages_ms={}, sent_bytes=10, received_bytes=20, noise_bytes=0, host_key=None),
        envelope=seen,
        failure=None,
    )
