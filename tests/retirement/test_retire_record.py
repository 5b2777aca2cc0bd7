"""The record of a sanitisation says what journals tell and what people know, and nothing else."""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.retire_details import read_details
from sparkctl.app.retire_record import record_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.lifecycle.sanitisation import judge
from sparkctl.model.control import ControlPhase, ControlResult
from sparkctl.model.journal import Result
from sparkctl.model.sanitisation import SanitisationRecord, SanitiseOutcome, Technique
from sparkctl.store.location import DATABASE_NAME
from tests.retirement.journalled import (
    AFTER,
    BEFORE,
    BEGAN,
    CLEARED,
    DRIVE,
    MACHINE,
    NODE,
    OWNED,
    Journalled,
    done,
    said,
)
from tests.retirement.retiring import DETAILS, destroyed
from tests.support.command import sparkctl


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def details(tmp_path: Path) -> Path:
    (file := tmp_path / "details.yaml").write_text(DETAILS)
    return file


def record(run: Journalled, details: Path) -> SanitisationRecord:
    return record_of(run.state, NODE, run.plan.run_id, read_details(details))


def purged(run: Journalled) -> Journalled:
    run.did("markers", done(BEFORE | {"markers_found": 0}, BEFORE))
    run.did("erase", done(BEFORE, AFTER))
    run.did("tpm", done(OWNED, CLEARED))
    run.answered()
    return run


def test_all_that_was_told_stands_in_it(state: Path, details: Path) -> None:
    run = purged(Journalled(state))
    made = record(run, details)
    (drive,) = made.drives
    (attempt,) = drive.attempts
    assert (made.machine_serial, made.machine_model, made.property_number) == (MACHINE, "NVIDIA_DGX_Spark", "INV-4711")
    assert (drive.device, drive.serial, drive.manufacturer, drive.bytes) == ("nvme0n1", DRIVE, "Samsung", 4 * 10**12)
    assert (attempt.technique, attempt.exit_status, attempt.tool_version) == (Technique.SANITIZE_CRYPTO, 0, "2.8")
    minutes = [(each - BEGAN) / timedelta(minutes=1) for each in (attempt.started_at, attempt.ended_at or BEGAN)]
    assert minutes == [3, 4]
    assert attempt.markers is not None
    assert len(attempt.markers.seed or "") == 32
    assert made.tpm is not None
    assert (made.tpm.manufacturer, made.tpm.tool_version, made.tpm.exit_status) == ("IBM", "5.6", 0)
    assert made.performed_by.at == BEGAN + timedelta(minutes=6)  # the last act on media
    assert made.validated_by.at == BEGAN + timedelta(minutes=7)  # the answer
    texts = [*done(BEFORE | {"markers_found": 0}, BEFORE), *done(BEFORE, AFTER), *done(OWNED, CLEARED)]
    digests = {hashlib.sha256(text.encode()).hexdigest() for text in texts}
    assert {one.sha256 for one in made.records} == digests | {run.plan.sha256}
    assert made.simulated  # as the plan of the tests says
    assert judge(made).sanitised


@pytest.mark.parametrize(
    ("texts", "result", "outcome"),
    [
        (done(BEFORE, BEFORE, 1), Result.FAILED, SanitiseOutcome.NOT_STARTED),
        (done(BEFORE, AFTER | {"markers_found": 64}), Result.FAILED, SanitiseOutcome.FAILED),
        (done(BEFORE, AFTER)[:2], Result.UNREACHABLE, SanitiseOutcome.UNPROVEN),
        (done(BEFORE, AFTER)[:1], Result.UNKNOWN, SanitiseOutcome.UNPROVEN),
        (done(BEFORE, AFTER)[1:], Result.DONE, SanitiseOutcome.PURGED),
        ([], Result.UNREACHABLE, SanitiseOutcome.UNPROVEN),
    ],
    ids=["refused", "lied", "unread", "lost", "start lost", "all lost"],
)
def test_what_documents_do_not_tell_counts_as_not_known(
    state: Path, details: Path, texts: list[str], result: Result, outcome: SanitiseOutcome
) -> None:
    run = Journalled(state)
    run.did("markers", done(BEFORE | {"markers_found": 0}, BEFORE))
    run.did("erase", texts, result)
    run.answered()
    made = record(run, details)
    (judged,) = judge(made).drives
    assert judged.judgement.outcome is outcome, judged
    if not texts:
        attempt = made.drives[0].attempts[0]
        assert (attempt.exit_status, attempt.ended_at, attempt.argv, attempt.serial_after) == (None, None, [], None)
    assert made.tpm is not None
    assert (made.tpm.before, made.tpm.after, made.tpm.exit_status) == (None, None, None)
    assert judge(made).tpm is SanitiseOutcome.UNPROVEN


@pytest.mark.parametrize(
    "texts",
    [
        [said(ControlPhase.APPLY, ControlResult.REFUSED, BEFORE, reason="in_use")],
        [said(ControlPhase.APPLY, ControlResult.FAILED, BEFORE, reason="busy", exit_status=75)],
        [said(ControlPhase.APPLY, ControlResult.UNKNOWN, BEFORE, reason="io_error")],
    ],
    ids=["refused", "busy", "unknown"],
)
def test_what_was_not_begun_is_no_attempt(state: Path, details: Path, texts: list[str]) -> None:
    run = Journalled(state)
    run.did("markers", done(BEFORE | {"markers_found": 0}, BEFORE))
    run.did("erase", texts, Result.REFUSED)
    details.write_text(DETAILS.replace("name: ", "at: '2026-06-01T09:00+02:00', name: "))
    made = record(run, details)
    assert made.drives[0].attempts == []
    assert made.performed_by.at == datetime(2026, 6, 1, 7, tzinfo=UTC)


def test_an_attempt_of_an_earlier_run_is_not_forgotten(state: Path, details: Path) -> None:
    first = Journalled(state, "r1")
    first.did("markers", done(BEFORE | {"markers_found": 0}, BEFORE))
    first.did("erase", done(BEFORE, AFTER | {"markers_found": 64}), Result.FAILED)
    first.free()
    other = Journalled(state, "r2", serial="ANOTHER", at=first.at)
    other.did("again", done(BEFORE, AFTER), Result.FAILED)
    other.free()
    last = Journalled(state, "r3", at=other.at)
    last.did("markers", done(AFTER, AFTER | {"markers_found": 64}))
    later = AFTER | {"sanitize_cdw10": 2}
    last.did("again", done(AFTER | {"markers_found": 64}, later))
    last.answered()
    attempts = record(last, details).drives[0].attempts
    assert [one.technique for one in attempts] == [Technique.SANITIZE_CRYPTO, Technique.SANITIZE_BLOCK]
    assert judge(record(last, details)).drives[0].judgement.remains == [Technique.DESTROY]
    details.write_text(DETAILS.replace("Vic", "at: '2026-06-01T09:00Z', name: Vic").replace("name: at:", "at:"))
    assert len(record(first, details).drives[0].attempts) == 1


def test_a_tpm_in_which_nothing_was_needs_no_act(state: Path, details: Path) -> None:
    run = Journalled(state)
    run.did("erase", done(BEFORE, AFTER))
    run.end("tpm", [said(ControlPhase.PRECHECK, ControlResult.HOLDS, CLEARED)])
    run.answered()
    assert judge(record(run, details)).tpm is SanitiseOutcome.CLEARED
    details.write_text(DETAILS + "tpm: absent\n")
    with pytest.raises(UsageError, match="says that the machine has none, and the TPM answered"):
        record(run, details)


def test_a_machine_that_never_answered_is_certified_by_its_destruction(state: Path, details: Path) -> None:
    run = Journalled(state)
    run.answered()
    with pytest.raises(UsageError, match="nothing tells the model"):
        record(run, details)
    details.write_text(DETAILS.replace("name: ", "at: '2026-06-01T09:00Z', name: ") + "machine_model: Spark\n")
    with pytest.raises(RefusedError, match="no journal tells of a drive"):
        record(run, details)
    known = "drives: [{serial: S9, model: Micron X, device: nvme0n1}]\nmachine_model: Spark\n"
    at = DETAILS.replace("name: ", "at: '2026-06-01T09:00Z', name: ")
    details.write_text(at + known + destroyed("S9", MACHINE))
    assert judge(record(run, details)).sanitised
    details.write_text(at + known + destroyed("S9"))
    assert judge(record(run, details)).to_destroy == [MACHINE]  # its TPM


def test_an_act_in_doubt_is_refused_and_another_node_and_another_run(state: Path, details: Path) -> None:
    run = Journalled(state)
    run.begin("erase")
    with pytest.raises(RefusedError, match="in doubt what became of the step erase"):
        record(run, details)
    with pytest.raises(RefusedError, match="is not of n2"):
        record_of(state, "n2", "r1", read_details(details))
    with pytest.raises(UsageError, match="there is no plan or run"):
        record_of(state, NODE, "r9", read_details(details))


@pytest.mark.parametrize(
    ("change", "code", "said_so"),
    [
        ("update journal set body = replace(body, '\"x\"', '\"y\"') where seq = 4", 4, "is not what was written"),
        ("delete from journal where seq = 2", 4, "is not what was written"),
        ("update documents set content = substr(content, 2) where sha256 in (?, ?)", 2, ""),
        ("delete from documents where ? != '' and sha256 = ?", 4, "is not in the store as it was written"),
    ],
    ids=["entry changed", "entry removed", "document changed", "document removed"],
)
def test_what_was_changed_in_the_store_is_no_record(
    state: Path, details: Path, tmp_path: Path, change: str, code: int, said_so: str
) -> None:
    purged(Journalled(state))
    digest = hashlib.sha256(done(BEFORE, AFTER)[2].encode()).hexdigest()
    with sqlite3.connect(state / DATABASE_NAME) as connection:
        assert connection.execute(change, (digest, digest) if "?" in change else ()).rowcount == 1
    out = tmp_path / "record.json"
    words: list[Any] = ["retire", "record", NODE, "--run", "r1", "--details", details, "--out", out, "--state", state]
    ran = sparkctl(*words, home=tmp_path)
    assert ran.returncode == code, ran.stderr
    assert said_so in ran.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be a mapping"),
        ("- a\n", "must be a mapping"),
        ("version: 2\n" + DETAILS.partition("\n")[2], "version: must be 1"),
        (DETAILS.replace("source: rack a1\n", ""), "`source` is missing"),
        (DETAILS + "colour: red\n", "unknown key 'colour'"),
        (DETAILS.replace("validated:", "valdated:"), "`validated` is missing"),
        (DETAILS.replace("contact: ops@example.org, ", ""), "`contact` is missing"),
        (DETAILS.replace("backup: none was kept", "backup: [a, b]"), "must be one value"),
        (DETAILS.replace("source: rack a1", f"source: {'x' * 121}"), "one printable line of 1 to 120"),
        (DETAILS.replace("name: Ann", "at: soon, name: Ann"), "must be a time with its zone"),
        (DETAILS.replace("name: Ann", "at: 2026-06-01T09:00, name: Ann"), "must be a time with its zone"),
        (DETAILS.replace("name: Ann", "at: '0001-01-01T00:00+23:00', name: Ann"), "must be a time with its zone"),
        (DETAILS + "tpm: gone\n", "tpm: must be one of absent"),
        (DETAILS + "destroyed: S1\n", "must be a list"),
        (DETAILS + "destroyed: [S1]\n", "this must be a mapping"),
        (DETAILS + destroyed("S1").replace("shred", "pray"), "must be one of shred"),
        (DETAILS + destroyed("S1").replace("largest_mm: 2", "largest_mm: nan"), "must be a size in mm"),
        (DETAILS + destroyed("S1").replace("at: '2026-06-02T10:00Z'", ""), "`at` is missing"),
        (DETAILS + "drives: [{serial: S1}]\n", "`model` is missing"),
        (DETAILS + "people: {}\n", "people"),
        ("\x1b[31m: {\n", "details.yaml"),
    ],
)  # fmt: skip
def test_details_that_are_no_good(details: Path, text: str, words: str) -> None:
    details.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_details(details)
    assert words in refused.value.message
    assert refused.value.message.startswith(f"{details}:")
    assert "\x1b" not in refused.value.message


def test_everything_that_is_wrong_is_named_with_its_line(details: Path) -> None:
    details.write_text(DETAILS.replace("classification: ", "clasification: ") + "tpm: no\n")
    with pytest.raises(UsageError) as refused:
        read_details(details)
    for words in (":4: clasification: unknown key", "`classification` is missing", ":13: tpm: must be one of absent"):
        assert words in refused.value.message, refused.value.message


def test_the_command_writes_a_record_that_can_be_judged(state: Path, details: Path, tmp_path: Path) -> None:
    purged(Journalled(state))
    out = tmp_path / "r.json"
    words: list[Any] = ["retire", "record", NODE, "--run", "r1", "--details", details, "--out", out, "--state", state]
    ran = sparkctl(*words, "--format", "json", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["attempts"] == {DRIVE: 1}
    assert sparkctl("retire", "judge", out, home=tmp_path).returncode == 0
