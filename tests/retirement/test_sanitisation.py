"""What an erase comes to: by what the drive says, by what reads back, and what may be done then."""

import re
from datetime import timedelta
from typing import Any

import pytest

from sparkctl.lifecycle.sanitisation import STALL, TIERS, judge, judge_drive, judge_tpm, supported, tier_of
from sparkctl.model.sanitisation import Markers, Method, SanitiseOutcome, SanitiseState, Technique
from tests.retirement.erased import (
    ALL_SANITIZE,
    GOOD_MARKERS,
    attempt,
    destruction,
    drive,
    log,
    record,
    tpm,
    tpm_state,
)

PURGED, CLEARED, FAILED = SanitiseOutcome.PURGED, SanitiseOutcome.CLEARED, SanitiseOutcome.FAILED
UNPROVEN, NOT_STARTED = SanitiseOutcome.UNPROVEN, SanitiseOutcome.NOT_STARTED
NEVER, RUNNING, SUCCEEDED = SanitiseState.NEVER, SanitiseState.RUNNING, SanitiseState.SUCCEEDED
SANITIZE = [Technique.SANITIZE_CRYPTO, Technique.SANITIZE_BLOCK, Technique.SANITIZE_OVERWRITE]


@pytest.mark.parametrize("technique", SANITIZE)
def test_a_sanitise_that_the_drive_tells_of_and_of_which_nothing_reads_back(technique: Technique) -> None:
    found = judge_drive(drive(attempt(technique))).judgement
    assert (found.outcome, found.technique, found.remains) == (PURGED, technique, [])


@pytest.mark.parametrize("technique", [Technique.FORMAT_CRYPTO, Technique.FORMAT_USER_DATA])
def test_a_format_is_no_purge_whatever_it_says(technique: Technique) -> None:
    found = judge_drive(drive(attempt(technique, log=[]))).judgement
    assert (found.outcome, found.remains) == (CLEARED, [Technique.DESTROY])
    assert not judge(record(drive(attempt(technique, log=[])))).sanitised


def test_a_drive_that_lies() -> None:
    lied = attempt(markers=GOOD_MARKERS.model_copy(update={"found": 1}))
    found = judge_drive(drive(lied)).judgement
    assert (found.outcome, found.remains) == (FAILED, [Technique.DESTROY])
    assert found.reasons[0] == "the drive says that it succeeded, and it did not"
    assert any("1 of 64 markers read back" in words for words in found.reasons)


STOOD = [log(NEVER), log(RUNNING, 1, 32768, 4)]
LATER = int(STALL / timedelta(minutes=1)) + 1


@pytest.mark.parametrize(
    ("log_after", "outcome", "words"),
    [
        ([*STOOD, log(RUNNING, 1 + LATER, 32768, 4)], FAILED, "stands still at 50 %"),
        ([*STOOD, log(RUNNING, 9, 32768, 4)], UNPROVEN, "goes on still, at 50 %"),
        ([*STOOD, log(RUNNING, 1 + LATER, 40000, 4)], UNPROVEN, "goes on still, at 61 %"),
        ([*STOOD, log(SanitiseState.FAILED, 2, 32768, 4)], FAILED, "says that the sanitise failed"),
        ([log(NEVER), log(NEVER, 2)], FAILED, "never sanitised"),
        ([log(NEVER), log(SanitiseState.RESERVED, 2, 0, 4)], UNPROVEN, "no specification"),
        ([log(NEVER), log(SUCCEEDED, 2, 65535, 2)], UNPROVEN, "another action (2)"),
        ([log(RUNNING, 0, 5, 4), log(SUCCEEDED, 2, 65535, 4)], UNPROVEN, "ran already"),
        ([log(SUCCEEDED, 2, 65535, 4)], UNPROVEN, "before and after"),
        ([], UNPROVEN, "before and after"),
    ],
)
def test_what_the_drive_says(log_after: list[Any], outcome: SanitiseOutcome, words: str) -> None:
    found = judge_drive(drive(attempt(log=log_after))).judgement
    assert (found.outcome, found.remains) == (outcome, [Technique.DESTROY])
    assert any(words in reason for reason in found.reasons), found.reasons


@pytest.mark.parametrize(
    ("markers", "outcome", "words"),
    [
        (None, UNPROVEN, "fewer than 16"),
        (Markers(count=4, read_back=4, found=0), UNPROVEN, "fewer than 16"),
        (GOOD_MARKERS.model_copy(update={"read_back": 63}), UNPROVEN, "only 63 of 64"),
        (GOOD_MARKERS.model_copy(update={"found": None}), UNPROVEN, "were not read"),
        (GOOD_MARKERS.model_copy(update={"unreadable": 2}), UNPROVEN, "2 of 64"),
        (GOOD_MARKERS.model_copy(update={"direct": False}), UNPROVEN, "page cache"),
        (GOOD_MARKERS.model_copy(update={"direct": False, "found": 64}), FAILED, "64 of 64"),
    ],
)
def test_what_reads_back(markers: Markers | None, outcome: SanitiseOutcome, words: str) -> None:
    found = judge_drive(drive(attempt(markers=markers))).judgement
    assert (found.outcome, found.remains) == (outcome, [Technique.DESTROY])
    assert any(words in reason for reason in found.reasons), found.reasons


def test_another_drive_that_answers_afterwards() -> None:
    found = judge_drive(drive(attempt(serial_after="DRIVE2"))).judgement
    assert (found.outcome, found.remains) == (FAILED, [Technique.DESTROY])


def test_a_success_with_a_command_that_ended_badly_or_not_at_all() -> None:
    for status in (1, None):
        assert judge_drive(drive(attempt(exit_status=status))).judgement.outcome is UNPROVEN


def test_a_technique_that_the_drive_does_not_have() -> None:
    found = judge_drive(drive(attempt(), sanicap=0b110)).judgement
    assert found.outcome is UNPROVEN
    assert "SANICAP" in found.reasons[-1]


def test_a_command_that_the_drive_took_no_notice_of_leaves_the_next_technique() -> None:
    still = GOOD_MARKERS.model_copy(update={"found": 64})
    refused = attempt(exit_status=1, log=[log(NEVER), log(NEVER, 1)], markers=still)
    found = judge_drive(drive(refused)).judgement
    assert found.outcome is NOT_STARTED
    assert found.remains == [
        Technique.SANITIZE_BLOCK, Technique.SANITIZE_OVERWRITE, Technique.FORMAT_CRYPTO, Technique.FORMAT_USER_DATA,
        Technique.DESTROY,
    ]  # fmt: skip
    both = judge_drive(drive(refused, attempt(Technique.SANITIZE_BLOCK)))
    assert [each.outcome for each in both.attempts] == [NOT_STARTED, PURGED]
    assert both.judgement.outcome is PURGED


def test_nothing_makes_good_an_erase_that_failed() -> None:
    broken = attempt(log=[log(NEVER), log(SanitiseState.FAILED, 2, 100, 4)])
    found = judge_drive(drive(broken, attempt(Technique.SANITIZE_BLOCK)))
    assert [each.outcome for each in found.attempts] == [FAILED, FAILED]
    assert found.judgement.remains == [Technique.DESTROY]
    assert "nothing makes good" in found.judgement.reasons[0]


def test_what_a_drive_says_that_it_can() -> None:
    assert supported(drive()) == list(Technique)
    assert supported(drive(sanicap=0b010, fna=0)) == [
        Technique.SANITIZE_BLOCK,
        Technique.FORMAT_USER_DATA,
        Technique.DESTROY,
    ]
    assert supported(drive(sanicap=None, fna=None)) == [Technique.FORMAT_USER_DATA, Technique.DESTROY]
    assert judge_drive(drive(sanicap=0)).judgement.remains[0] is Technique.FORMAT_CRYPTO
    assert judge_drive(drive(damaged=True)).judgement.remains == [Technique.DESTROY]


def test_tiers_are_all_there_in_order_with_sources_and_never_leave_the_failure_mode() -> None:
    assert [tier.technique for tier in TIERS] == list(Technique)
    for tier in TIERS:
        assert re.search(r"NVMe base|NIST SP 800-88r2", tier.source)
        assert not {"--ause", "-u", "--sanact=1"} & set(tier.argv)
    assert tier_of(Technique.SANITIZE_BLOCK).method is Method.PURGE
    assert sum(1 << tier.bit for tier in TIERS if tier.bit is not None) == ALL_SANITIZE


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, CLEARED),
        ({"after": tpm_state(owner_auth=True)}, FAILED),
        ({"after": tpm_state(lockout_auth=True)}, FAILED),
        ({"after": tpm_state(owner_handles=1)}, FAILED),
        ({"after": tpm_state(owner_nv=2)}, FAILED),
        ({"after": tpm_state(owner_handles=None)}, UNPROVEN),
        ({"after": tpm_state(owner_auth=None)}, UNPROVEN),
        ({"after": None}, UNPROVEN),
        ({"exit_status": None}, UNPROVEN),
        ({"exit_status": 1}, UNPROVEN),
    ],
)
def test_a_tpm(changed: dict[str, Any], outcome: SanitiseOutcome) -> None:
    evidence = tpm(**changed)
    assert judge_tpm(evidence)[0] is outcome
    judged = judge(record(tpm=evidence))
    assert judged.sanitised is (outcome is CLEARED)
    assert judged.to_destroy == ([] if outcome is CLEARED else ["MACHINE7"])
    assert judge(record(tpm=evidence, destroyed=[destruction("MACHINE7")])).sanitised


def test_a_machine_is_as_good_as_its_worst_drive() -> None:
    lied = attempt(serial_after="DRIVE2", markers=GOOD_MARKERS.model_copy(update={"found": 3}))
    second = drive(lied, device="nvme1n1", serial="DRIVE2")
    judged = judge(record(drive(attempt()), second))
    assert (judged.sanitised, judged.method, judged.to_destroy) == (False, None, ["DRIVE2"])
    judged = judge(record(drive(attempt()), second, destroyed=[destruction("DRIVE2")]))
    assert (judged.sanitised, judged.method) == (True, Method.DESTROY)
    assert judge(record()).method is Method.PURGE
    assert judge(record(tpm=None)).sanitised
