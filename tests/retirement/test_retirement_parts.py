"""The parts of the purge lane for themselves: pages in every spelling, markers, and answers that make no sense."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit import marker_blocks
from diag.nodekit.sanitize_log import Page, page_in
from sparkctl.lifecycle.erase_evidence import drive_of, erase_attempt, tpm_evidence
from sparkctl.lifecycle.sanitisation import judge_drive, judge_tpm
from sparkctl.model.control import ControlData, ControlPhase, ControlResult
from sparkctl.model.sanitisation import SanitiseOutcome, SanitiseState, Technique

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "sstat",
    [
        {"global_erased": 1, "no_cmplted_passes": 0, "status": "(1) Most Recent Sanitize Command Completed"},
        {"global_erased": 1, "no_cmplted_passes": 0, "Most Recent Sanitize Command Completed": "(1) Most Recent"},
        {"global_erased": 1, "status": 257},
        257,
        "0x101",
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_page_in_every_spelling_of_nvme_cli(sstat: Any, *, nested: bool) -> None:
    inner = {"sprog": 65535, "sstat": sstat, "cdw10_info": 4}
    found = page_in(json.dumps({"nvme0": inner} if nested else inner))
    assert found == Page(state=1, progress=65535, cdw10=4, erased=True)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"sprog":1}', '{"sprog":1,"sstat":{},"cdw10_info":4}'])
def test_what_is_no_page(text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        page_in(text)


def test_markers_lie_over_the_whole_drive_and_read_back_until_they_are_gone(tmp_path: Path) -> None:
    drive, size = tmp_path / "drive", 3 * 2**20 + 512
    drive.write_bytes(b"x" * size)
    where = marker_blocks.places(size)
    assert (where[0], where[-1], len(set(where))) == (0, size // 4096 * 4096 - 4096, marker_blocks.COUNT)
    assert marker_blocks.looked_for(str(drive), "a" * 32).found == 0
    assert marker_blocks.main(str(drive), "a" * 32) == 0
    found = marker_blocks.looked_for(str(drive), "a" * 32)
    assert (found.found, found.unreadable, found.bytes) == (marker_blocks.COUNT, 0, size)
    assert marker_blocks.looked_for(str(drive), "b" * 32).found == 0
    with drive.open("r+b") as file:
        file.seek(where[7] + 100)
        file.write(b"!")
    assert marker_blocks.looked_for(str(drive), "a" * 32).found == marker_blocks.COUNT - 1
    with pytest.raises(ValueError, match="too small"):
        marker_blocks.places(4096 * 63)


def said(phase: ControlPhase, **more: Any) -> ControlData:
    fields: dict[str, Any] = {
        "controller": "nvme-sanitize", "phase": phase, "act": "0" * 32, "result": ControlResult.DONE, "summary": "x",
    }  # fmt: skip
    return ControlData(**(fields | more))


BEFORE = {
    "serial": "S1", "model": "Samsung X", "sanicap": 7, "fna": 0, "sanitize_state": 0, "sanitize_progress": 65535,
    "sanitize_cdw10": 0, "global_erased": False, "markers": 64, "markers_found": 64, "markers_digest": "ab" * 32,
    "markers_direct": True, "markers_unreadable": 0,
}  # fmt: skip
AFTER = BEFORE | {"sanitize_state": 1, "sanitize_cdw10": 4, "global_erased": True, "markers_found": 0}


def outcome(before: dict[str, Any], after: dict[str, Any] | None, output: list[str] | None = None) -> SanitiseOutcome:
    applied = said(ControlPhase.APPLY, observed=before)
    ended = said(ControlPhase.OBSERVE, exit_status=0, output=output or [])
    checked = said(ControlPhase.POSTCHECK, observed=after) if after is not None else None
    attempt = erase_attempt(Technique.SANITIZE_CRYPTO, applied, ended, checked, started_at=AT, ended_at=AT)
    return judge_drive(drive_of("nvme0n1", said(ControlPhase.PRECHECK, observed=BEFORE), attempt)).judgement.outcome


def test_what_is_not_told_is_unproven() -> None:
    assert outcome(BEFORE, AFTER) is SanitiseOutcome.PURGED
    assert outcome(BEFORE, None) is SanitiseOutcome.UNPROVEN
    needed_before = ["sanitize_state", "sanitize_cdw10", "global_erased", "markers", "markers_found"]
    for key in needed_before:
        assert outcome({**BEFORE, key: None}, AFTER) is SanitiseOutcome.UNPROVEN, key
    for key in ("sanitize_state", "sanitize_progress", "markers_found", "markers_direct"):
        assert outcome(BEFORE, {**AFTER, key: None}) is not SanitiseOutcome.PURGED, key
    for key, value in (("sanitize_state", 99), ("sanitize_state", True), ("markers_found", "0"), ("markers_direct", 1)):
        assert outcome(BEFORE, {**AFTER, key: value}) is not SanitiseOutcome.PURGED, (key, value)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "7",
        '{"at":1e400}',
        '{"at":"x"}',
        '{"at":1,"state":1}',
        '{"at":99999999999999,"state":1}',
        "[" * 300,
    ],
)
def test_what_an_act_printed_besides_is_passed_over(line: str) -> None:
    assert outcome(BEFORE, AFTER, [line]) is SanitiseOutcome.PURGED


def test_the_pages_that_an_act_printed_are_in_the_log() -> None:
    page = {"at": AT.timestamp(), "state": 2, "progress": 100, "cdw10": 4, "erased": False}
    ended = said(ControlPhase.OBSERVE, exit_status=0, output=["Sanitizing", json.dumps(page)])
    attempt = erase_attempt(
        Technique.SANITIZE_CRYPTO, said(ControlPhase.APPLY, observed=BEFORE), ended,
        said(ControlPhase.POSTCHECK, observed=AFTER), started_at=AT, ended_at=AT,
    )  # fmt: skip
    assert [one.state for one in attempt.log] == [
        SanitiseState.NEVER, SanitiseState.RUNNING, SanitiseState.SUCCEEDED,
    ]  # fmt: skip


def test_a_drive_that_does_not_say_who_it_is_is_none() -> None:
    with pytest.raises(ValueError, match="model and serial"):
        drive_of("nvme0n1", said(ControlPhase.PRECHECK, observed={"model": "x"}))


def test_a_drive_on_which_a_sanitise_failed_before_can_be_destroyed_only() -> None:
    found = drive_of("nvme0n1", said(ControlPhase.PRECHECK, observed=BEFORE | {"sanitize_state": 3}))
    assert judge_drive(found).judgement.remains == [Technique.DESTROY]


def test_a_tpm_of_which_nothing_is_told_is_unproven() -> None:
    applied, ended = said(ControlPhase.APPLY), said(ControlPhase.OBSERVE, exit_status=0)
    evidence = tpm_evidence(applied, ended, said(ControlPhase.POSTCHECK), before=AT, after=AT)
    assert judge_tpm(evidence)[0] is SanitiseOutcome.UNPROVEN
