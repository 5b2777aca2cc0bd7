"""From what controllers answered to the evidence that a sanitisation is judged by.

The controllers are `nvme-markers`, `nvme-sanitize` and `tpm-clear` of `diag/controllers/`. What they do not tell is
left unknown here, so that it counts as unproven.
"""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from sparkctl.model.control import ControlData
from sparkctl.model.sanitisation import (
    Drive,
    EraseAttempt,
    Markers,
    SanitiseLog,
    SanitiseState,
    Technique,
    TpmEvidence,
    TpmState,
)

_STATES = (
    SanitiseState.NEVER,
    SanitiseState.SUCCEEDED,
    SanitiseState.RUNNING,
    SanitiseState.FAILED,
    SanitiseState.SUCCEEDED_DEALLOCATED,
)
_FAILED = _STATES.index(SanitiseState.FAILED)
MAKERS = {"samsung": "Samsung", "micron": "Micron", "wdc": "Western Digital", "kioxia": "KIOXIA", "skhynix": "SK hynix"}
"""Makers by how the model of their drives begins, where Identify Controller has no field for it."""


def erase_attempt(
    technique: Technique,
    applied: ControlData | None,
    ended: ControlData | None,
    checked: ControlData | None,
    *,
    started_at: datetime,
    ended_at: datetime | None,
    seed: str | None = None,
    marked: ControlData | None = None,
) -> EraseAttempt:
    """One technique on one drive: what `nvme-sanitize` answered to apply, when the act had ended, and to postcheck.

    `applied` looked once more before it started, so that its `observed` is how the drive was before. Where that answer
    was lost, `marked` stands for it: the last look of `nvme-markers`.
    """
    seen = applied or marked
    before, after = seen.observed if seen else {}, checked.observed if checked else {}
    log = [_page(before, started_at), *_pages_in(ended), _page(after, ended_at) if ended_at else None]
    return EraseAttempt(
        technique=technique,
        argv=[word for word in (applied.argv if applied else ()) if len(word) <= 200][:100],
        tool="nvme-cli",
        tool_version=_word(before, "tool_version"),
        started_at=started_at,
        ended_at=ended_at,
        exit_status=ended.exit_status if ended else None,
        serial_after=_word(after, "serial"),
        log=[one for one in log if one is not None],
        markers=_markers(before, after, seed),
    )


def drive_of(device: str, seen: ControlData, *attempts: EraseAttempt) -> Drive:
    """A drive as a precheck saw it; one on which a sanitise failed before is damaged: it can be destroyed only.

    Raises ValueError when it does not tell model and serial.
    """
    observed = seen.observed
    model, serial = _word(observed, "model"), _word(observed, "serial")
    if model is None or serial is None:
        raise ValueError(f"{seen.controller} does not tell model and serial of {device}")
    beginning = model.split()[0].casefold()
    return Drive(
        device=device,
        manufacturer=next((maker for word, maker in MAKERS.items() if beginning.startswith(word)), None),
        model=model,
        serial=serial,
        firmware=_word(observed, "firmware"),
        bytes=_number(observed, "bytes"),
        damaged=observed.get("sanitize_state") == _FAILED,
        sanicap=_number(observed, "sanicap"),
        fna=_number(observed, "fna"),
        attempts=list(attempts),
    )


def tpm_evidence(
    applied: ControlData, ended: ControlData | None, checked: ControlData | None, *, before: datetime, after: datetime
) -> TpmEvidence:
    """A TPM before and after, by what `tpm-clear` answered. A precheck that found nothing needs no act."""
    nothing_to_do = ended is None and applied.result.value == "holds"
    return TpmEvidence(
        manufacturer=_word(applied.observed, "manufacturer"),
        tool_version=_word(applied.observed, "tool_version"),
        before=_tpm_state(applied, before),
        after=_tpm_state(checked, after) if checked else None,
        exit_status=0 if nothing_to_do else ended.exit_status if ended else None,
    )


def _page(observed: dict[str, Any], at: datetime) -> SanitiseLog | None:
    words = {key: observed.get(f"sanitize_{key}") for key in ("state", "progress", "cdw10")}
    return _log(words | {"erased": observed.get("global_erased")}, at)


def _pages_in(ended: ControlData | None) -> list[SanitiseLog | None]:
    """The pages that the act printed, one a line."""
    found = []
    for line in ended.output if ended else []:
        try:
            told = json.loads(line)
            found.append(_log(told, datetime.fromtimestamp(told["at"], UTC)))
        except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
            continue  # whatever else nvme-cli says
    return found


def _log(told: dict[str, Any], at: datetime) -> SanitiseLog | None:
    state = told.get("state")
    if type(state) is not int:
        return None
    try:
        return SanitiseLog(
            at=at,
            state=_STATES[state] if 0 <= state < len(_STATES) else SanitiseState.RESERVED,
            progress=told["progress"],
            cdw10=told["cdw10"],
            global_erased=told["erased"],
        )
    except (ValidationError, KeyError):
        return None


def _markers(before: dict[str, Any], after: dict[str, Any], seed: str | None) -> Markers | None:
    count, digest = _number(before, "markers"), _word(before, "markers_digest")
    if count is None:
        return None
    return Markers(
        count=count,
        digest=digest,
        seed=seed,
        read_back=_number(before, "markers_found") or 0,
        found=_number(after, "markers_found"),
        unreadable=_number(after, "markers_unreadable") or 0,
        direct=after.get("markers_direct") is True,
    )


def _tpm_state(seen: ControlData, at: datetime) -> TpmState:
    observed = seen.observed
    return TpmState(
        at=at,
        owner_auth=_flag(observed, "owner_auth"),
        endorsement_auth=_flag(observed, "endorsement_auth"),
        lockout_auth=_flag(observed, "lockout_auth"),
        owner_handles=_number(observed, "owner_handles"),
        owner_nv=_number(observed, "owner_nv"),
    )


def _word(observed: dict[str, Any], key: str) -> str | None:
    value = observed.get(key)
    return value[:120] if isinstance(value, str) and value else None


def _number(observed: dict[str, Any], key: str) -> int | None:
    value = observed.get(key)
    return value if type(value) is int and value >= 0 else None


def _flag(observed: dict[str, Any], key: str) -> bool | None:
    value = observed.get(key)
    return value if isinstance(value, bool) else None
