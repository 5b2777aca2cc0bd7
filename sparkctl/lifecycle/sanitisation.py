"""Is a drive sanitised? Judged by what the drive says and by what reads back, and what may be done when it is not.

Sources: NIST SP 800-88r2 (September 2025), sections 3.1 (methods), 4.4 (techniques: IEEE 2883), 4.5 (verification and
validation); NVM Express base specification 2.0, sections 5.24 (Sanitize), 5.14 (Format NVM), 5.17.2.1 (SANICAP, FNA),
5.16.1.22 (Sanitize Status log page); TPM 2.0 library specification, part 3, TPM2_Clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sparkctl.model.sanitisation import (
    Drive,
    DriveJudgement,
    EraseAttempt,
    Judgement,
    Method,
    SanitisationJudgement,
    SanitisationRecord,
    SanitiseLog,
    SanitiseOutcome,
    SanitiseState,
    Technique,
    TpmEvidence,
    TpmState,
)

STALL = timedelta(minutes=15)
"""How long progress may stand still before an erase counts as failed. Ours: drives report it every few seconds."""

LEAST_MARKERS = 16
"""Markers below which nothing is proven by their absence. Ours."""

_SANACT = 0b111
_CRYPTO_BY_FORMAT = 0b100  # bit 2 of FNA


@dataclass(frozen=True, slots=True)
class Tier:
    """A technique, the method that it can reach at best, and how a drive says that it has it.

    `sanact` is the action in CDW10 of Sanitize, `bit` its bit in SANICAP. `argv` is what follows `nvme`, with the
    device left out. `source` is where it stands.
    """

    technique: Technique
    method: Method
    argv: tuple[str, ...]
    sanact: int | None
    bit: int | None
    source: str


TIERS = (
    Tier(Technique.SANITIZE_CRYPTO, Method.PURGE, ("sanitize", "--sanact=4"), 4, 0, "NVMe base 2.0, 5.24"),
    Tier(Technique.SANITIZE_BLOCK, Method.PURGE, ("sanitize", "--sanact=2"), 2, 1, "NVMe base 2.0, 5.24"),
    Tier(Technique.SANITIZE_OVERWRITE, Method.PURGE, ("sanitize", "--sanact=3"), 3, 2, "NVMe base 2.0, 5.24"),
    Tier(Technique.FORMAT_CRYPTO, Method.CLEAR, ("format", "--ses=2"), None, None, "NVMe base 2.0, 5.14"),
    Tier(Technique.FORMAT_USER_DATA, Method.CLEAR, ("format", "--ses=1"), None, None, "NVMe base 2.0, 5.14"),
    Tier(Technique.DESTROY, Method.DESTROY, (), None, None, "NIST SP 800-88r2, 3.1.3"),
)
"""What is tried in which order.

Sanitize reaches all media of the subsystem, its caches and what is not allocated; Format NVM reaches namespaces, so it
counts as Clear here, whatever a maker claims of it. No tier lets a drive leave the failure mode of a sanitise that
failed (AUSE is never set): a drive that failed once is destroyed.
"""


_Said = tuple[SanitiseOutcome, str]


def tier_of(technique: Technique) -> Tier:
    """The tier of a technique."""
    return next(tier for tier in TIERS if tier.technique is technique)


def supported(drive: Drive) -> list[Technique]:
    """What a drive says that it can do, the best first, destruction last. Fields that were not read promise nothing."""
    found = []
    for tier in TIERS:
        by_sanitize = tier.bit is not None and drive.sanicap is not None and drive.sanicap >> tier.bit & 1
        by_format = tier.technique is Technique.FORMAT_USER_DATA or (
            tier.technique is Technique.FORMAT_CRYPTO and drive.fna is not None and drive.fna & _CRYPTO_BY_FORMAT
        )
        if by_sanitize or by_format or tier.technique is Technique.DESTROY:
            found.append(tier.technique)
    return found


def judge_attempt(attempt: EraseAttempt, drive: Drive, stall: timedelta = STALL) -> tuple[SanitiseOutcome, list[str]]:
    """What one attempt comes to, with the reasons; the worst that is known counts."""
    markers_outcome, markers_words = _by_markers(attempt)
    if attempt.serial_after is not None and attempt.serial_after != drive.serial:
        words = f"the drive that answers afterwards is {attempt.serial_after}, not {drive.serial}"
        return SanitiseOutcome.FAILED, [words]
    tier = tier_of(attempt.technique)
    by_drive, drive_words = _by_log(attempt, tier, stall) if tier.sanact is not None else _by_exit(attempt)
    reasons = [drive_words, markers_words]
    if tier.sanact is not None and attempt.technique not in supported(drive):
        reasons.append("the drive does not say in SANICAP that it has this technique")
        by_drive = _worse(by_drive, SanitiseOutcome.UNPROVEN)
    if by_drive is SanitiseOutcome.NOT_STARTED and markers_outcome is SanitiseOutcome.FAILED:
        return SanitiseOutcome.NOT_STARTED, [drive_words]
    outcome = _worse(by_drive, markers_outcome)
    if outcome is SanitiseOutcome.FAILED and by_drive in (SanitiseOutcome.PURGED, SanitiseOutcome.CLEARED):
        reasons.insert(0, "the drive says that it succeeded, and it did not")
    return outcome, reasons


_RANK = (
    SanitiseOutcome.PURGED,
    SanitiseOutcome.CLEARED,
    SanitiseOutcome.NOT_STARTED,
    SanitiseOutcome.UNPROVEN,
    SanitiseOutcome.FAILED,
)


def _worse(*outcomes: SanitiseOutcome) -> SanitiseOutcome:
    return max(outcomes, key=_RANK.index)


def _by_markers(attempt: EraseAttempt) -> _Said:
    """What reading back proves: PURGED stands for nothing against it."""
    one = attempt.markers
    if one is None or one.count < LEAST_MARKERS:
        return SanitiseOutcome.UNPROVEN, f"fewer than {LEAST_MARKERS} markers were written: nothing could be missed"
    if one.found:
        return SanitiseOutcome.FAILED, f"{one.found} of {one.count} markers read back as they were written before"
    doubts = (
        (one.read_back < one.count, f"only {one.read_back} of {one.count} markers read back when they were written"),
        (one.found is None, "the markers were not read afterwards"),
        (one.unreadable > 0, f"{one.unreadable} of {one.count} markers could not be read afterwards"),
        (not one.direct, "the markers were read from the page cache, which is not the drive"),
    )
    for doubtful, words in doubts:
        if doubtful:
            return SanitiseOutcome.UNPROVEN, words
    return SanitiseOutcome.PURGED, f"none of {one.count} markers reads back"


def _by_exit(attempt: EraseAttempt) -> _Said:
    """What Format NVM came to: it has no log page, and its command ends when it is done."""
    if attempt.exit_status == 0:
        return SanitiseOutcome.CLEARED, "the command ended well; a format is no proof for what is not addressable"
    if attempt.exit_status is None:
        return SanitiseOutcome.UNPROVEN, "the command did not end"
    return SanitiseOutcome.FAILED, f"the command ended with {attempt.exit_status}"


def _by_log(attempt: EraseAttempt, tier: Tier, stall: timedelta) -> _Said:
    """What the log page of the drive says."""
    if len(attempt.log) < 2:
        return SanitiseOutcome.UNPROVEN, "the sanitize log page was not read before and after"
    last = attempt.log[-1]
    if last.state is SanitiseState.RUNNING:
        return _still_running(attempt.log, stall)
    if attempt.exit_status not in (0, None) and not _began(attempt.log):
        words = f"the command ended with {attempt.exit_status}, and the drive took no notice of it"
        return SanitiseOutcome.NOT_STARTED, words
    return _ENDED_AS.get(last.state) or _by_success(attempt, tier, last)


_ENDED_AS: dict[SanitiseState, _Said] = {
    SanitiseState.FAILED: (SanitiseOutcome.FAILED, "the drive says that the sanitise failed"),
    SanitiseState.NEVER: (
        SanitiseOutcome.FAILED,
        "the drive took the command and says that it was never sanitised",
    ),
    SanitiseState.RESERVED: (
        SanitiseOutcome.UNPROVEN,
        "the drive answers with a state that no specification has",
    ),
}


def _by_success(attempt: EraseAttempt, tier: Tier, last: SanitiseLog) -> _Said:
    """What it is worth that the drive says that it succeeded."""
    action = last.cdw10 & _SANACT
    if action != tier.sanact:
        words = f"the drive tells of another action ({action}) than the one that was asked for ({tier.sanact})"
        return SanitiseOutcome.UNPROVEN, words
    if attempt.exit_status != 0:
        return SanitiseOutcome.UNPROVEN, "the drive says that it succeeded, and the command did not end well"
    if attempt.log[0].state is SanitiseState.RUNNING:
        return SanitiseOutcome.UNPROVEN, "another sanitise ran already when this one was asked for"
    return SanitiseOutcome.PURGED, "the drive says that it succeeded, with the action that was asked for"


def _began(log: Sequence[SanitiseLog]) -> bool:
    """Whether the drive took any notice: its page says something else than before."""
    before = log[0]
    return any((each.state, each.cdw10) != (before.state, before.cdw10) for each in log[1:])


def _still_running(log: Sequence[SanitiseLog], stall: timedelta) -> _Said:
    last = log[-1]
    since = last.at
    for each in reversed(log):
        if each.state is not SanitiseState.RUNNING or each.progress != last.progress:
            break
        since = each.at
    percent = last.progress * 100 // 65536
    if last.at - since >= stall:
        seconds = int((last.at - since).total_seconds())
        return SanitiseOutcome.FAILED, f"it stands still at {percent} % for {seconds:,} s"
    return SanitiseOutcome.UNPROVEN, f"it goes on still, at {percent} %"


def judge_drive(drive: Drive, stall: timedelta = STALL) -> DriveJudgement:
    """What a drive comes to: its last attempt counts, unless an earlier one failed, which nothing makes good.

    Progress that stands still for as long as `stall` counts as failed.
    """
    able = supported(drive)
    attempts: list[Judgement] = []
    failed = False
    for attempt in drive.attempts:
        outcome, reasons = judge_attempt(attempt, drive, stall)
        if failed:
            outcome, reasons = SanitiseOutcome.FAILED, ["an attempt before this one failed, which nothing makes good"]
        failed = failed or outcome is SanitiseOutcome.FAILED
        tried = {each.technique for each in drive.attempts[: len(attempts) + 1]}
        remains = _remains(outcome, [each for each in able if each not in tried])
        attempts.append(Judgement(outcome=outcome, technique=attempt.technique, reasons=reasons, remains=remains))
    if not attempts:
        words = ["nothing was tried"] if not drive.damaged else ["it is damaged, and nothing was tried"]
        remains = [Technique.DESTROY] if drive.damaged else able
        last = Judgement(outcome=SanitiseOutcome.NOT_STARTED, technique=None, reasons=words, remains=remains)
    else:
        last = attempts[-1]
    return DriveJudgement(device=drive.device, serial=drive.serial, judgement=last, attempts=attempts)


def _remains(outcome: SanitiseOutcome, left: list[Technique]) -> list[Technique]:
    """What may be done after an attempt: the next techniques where nothing was changed; else destruction alone."""
    if outcome is SanitiseOutcome.PURGED:
        return []
    if outcome is SanitiseOutcome.NOT_STARTED:
        return left or [Technique.DESTROY]
    return [Technique.DESTROY]


def judge_tpm(tpm: TpmEvidence) -> tuple[SanitiseOutcome, list[str]]:
    """Whether nothing of an owner is left in a TPM: CLEARED, FAILED or UNPROVEN."""
    after = tpm.after
    if tpm.exit_status is None or after is None:
        return SanitiseOutcome.UNPROVEN, ["it was not cleared, or not read afterwards"]
    left = _left_in(after)
    if left:
        return SanitiseOutcome.FAILED, [f"after tpm2_clear {words}" for words in left]
    fields = (after.owner_auth, after.endorsement_auth, after.lockout_auth, after.owner_handles, after.owner_nv)
    if None in fields:
        return SanitiseOutcome.UNPROVEN, ["not all of its state could be read afterwards"]
    if tpm.exit_status != 0:
        return SanitiseOutcome.UNPROVEN, [f"tpm2_clear ended with {tpm.exit_status}"]
    return SanitiseOutcome.CLEARED, ["no authorisation is set, and nothing of an owner persists"]


def _left_in(state: TpmState) -> list[str]:
    auths = (("owner", state.owner_auth), ("endorsement", state.endorsement_auth), ("lockout", state.lockout_auth))
    left = [f"the {name} authorisation is set" for name, is_set in auths if is_set]
    left += [f"{state.owner_handles} objects of an owner persist"] if state.owner_handles else []
    left += [f"{state.owner_nv} NV indices of an owner persist"] if state.owner_nv else []
    return left


def judge(record: SanitisationRecord) -> SanitisationJudgement:
    """What a machine comes to. A drive that is not purged is sanitised only by a destruction that somebody saw."""
    destroyed = {each.serial for each in record.destroyed}
    drives = [judge_drive(drive) for drive in record.drives]
    waiting = [
        each.serial
        for each in drives
        if each.judgement.outcome is not SanitiseOutcome.PURGED and each.serial not in destroyed
    ]
    tpm, reasons = judge_tpm(record.tpm) if record.tpm is not None else (None, ["there is no TPM"])
    # A TPM is soldered: what is left in it goes with the board.
    board = tpm in (None, SanitiseOutcome.CLEARED) or record.machine_serial in destroyed
    if not board:
        waiting.append(record.machine_serial)
    sanitised = not waiting
    method = None
    if sanitised:
        method = Method.DESTROY if destroyed else Method.PURGE
    return SanitisationJudgement(
        node_id=record.node_id,
        sanitised=sanitised,
        method=method,
        drives=drives,
        tpm=tpm,
        tpm_reasons=reasons,
        to_destroy=waiting,
    )
