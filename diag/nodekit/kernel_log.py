"""The kernel's messages since boot, as the journal kept them: read once, judged by several checks.

`journalctl` prints nothing to a user without the right to read the system journal and still ends well, so an empty
answer is never taken for a quiet kernel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.command import Ran
from diag.nodekit.finding import Finding, Reading, Threshold
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import MissingTool, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

# Newest first: a log that is longer than the limit loses its beginning, which matters least.
KERNEL_LOG = ("journalctl", "-k", "-b", "0", "-r", "--no-pager", "-o", "short-monotonic")
KERNEL_LOG_AS_ROOT = ("/usr/bin/journalctl", *KERNEL_LOG[1:])  # a rule of sudoers wants a whole path
LOCATOR = " ".join(KERNEL_LOG)
KERNEL_LOG_SECONDS = 7.0  # for Check.seconds: two attempts, with our own rights and with elevated ones
KERNEL_LOG_ELEVATED = (KERNEL_LOG_AS_ROOT,)
ATTEMPT_SECONDS = 3.0
MAX_BYTES = 4 * 1024 * 1024
BEGINNING_SECONDS = 60.0  # a log whose oldest message is later than this has lost its beginning
# `[   12.345678] host kernel: text`; other names than `kernel` are programs that wrote to /dev/kmsg.
LINE = re.compile(r"\[ *(\d+\.\d+)\] \S+ ([^\s:]+): (.*)")
NO_RIGHTS = ("insufficient permissions", "not seeing messages from other users", "permission denied")


@dataclass(frozen=True)
class Message:
    """One line of the kernel; `seconds` since boot."""

    seconds: float
    text: str


@dataclass(frozen=True)
class KernelLog:
    """Messages, oldest first. `complete`: from boot on; else only those since `since` seconds after boot are known."""

    messages: tuple[Message, ...]
    complete: bool

    @property
    def since(self) -> float:
        """Seconds after boot of the oldest message that is known."""
        return self.messages[0].seconds

    def matching(self, pattern: re.Pattern[str]) -> tuple[tuple[Message, re.Match[str]], ...]:
        """Every message in which the pattern is found, with the match."""
        found = ((message, pattern.search(message.text)) for message in self.messages)
        return tuple((message, match) for message, match in found if match is not None)

    def vouch(self, finding: Finding, absent: str) -> Finding:
        """The finding; raises Unevaluated where it passes on a log that lost its beginning."""
        if finding.status == Status.PASS:
            self.require_complete(absent)
        return finding

    def require_complete(self, absent: str) -> None:
        """Raise Unevaluated when the log lost its beginning: then "no such message" proves nothing."""
        if not self.complete:
            raise Unevaluated(
                UnknownReason.PRECONDITION,
                f"{absent}, but the kernel log reaches back only to {self.since:.0f} s after boot",
            )


@dataclass(frozen=True)
class Symptom:
    """Messages of one severity: how the kernel words them, what they are called (plural), what to do about them."""

    pattern: re.Pattern[str]
    name: str
    action: str


def graded(log: KernelLog, slight: Symptom, severe: Symptom, grades: Threshold) -> Finding:
    """Warn for messages of the one severity (grade 1), fail for those of the other (grade 2); raises Unevaluated."""
    counts = {symptom.name: [message for message, _ in log.matching(symptom.pattern)] for symptom in (severe, slight)}
    grade = 2 if counts[severe.name] else 1 if counts[slight.name] else 0
    readings = tuple(Reading(name, len(found), "1") for name, found in counts.items())
    if not grade:
        absent = f"No {severe.name} and no {slight.name}"
        log.require_complete(f"{absent} are logged")
        return Finding(
            Status.PASS, f"{absent} since boot", value=0, unit="1", threshold=grades, locator=LOCATOR, readings=readings
        )
    worst = severe if grade == 2 else slight
    last = counts[worst.name][-1]
    numbers = " and ".join(f"{len(found)} {name}" for name, found in counts.items())
    return Finding(
        grades.judge(grade),
        f"{numbers}, one {last.seconds:.0f} s after boot: {last.text[:300]}",
        value=grade,
        unit="1",
        threshold=grades,
        locator=LOCATOR,
        action=worst.action,
        readings=readings,
    )


@dataclass(frozen=True)
class KernelLogSeen:
    """The log, or why there is none; and whether this is a GB10 (None when that cannot be told).

    The problem is kept so that a check can say "no such device" about a machine whose log it may not read.
    """

    log: KernelLog | None
    problem: Exception | None
    is_gb10: bool | None

    def read(self) -> KernelLog:
        """The log; raises what kept us from reading it."""
        if self.log is None:
            raise self.problem or Unevaluated(UnknownReason.PRECONDITION, "the kernel log was not read")
        return self.log


def observe_kernel_log(machine: Machine) -> KernelLogSeen:
    """Read the kernel log; a Check declares `elevated=KERNEL_LOG_ELEVATED` and `seconds=KERNEL_LOG_SECONDS` for it."""
    is_gb10 = platform_evidence(machine).is_gb10
    try:
        return KernelLogSeen(kernel_log(machine), None, is_gb10)
    except (MissingTool, OSError, ValueError, Unevaluated) as problem:
        return KernelLogSeen(None, problem, is_gb10)


def kernel_log(machine: Machine) -> KernelLog:
    """The kernel log of this boot; raises MissingTool, PermissionError, TimeoutError, Unevaluated, ValueError."""
    try:
        ran = _ran(machine, elevate=False)
    except PermissionError:
        ran = _ran(machine, elevate=True)
    return parse_kernel_log(ran.stdout, truncated=ran.truncated)


def parse_kernel_log(text: str, *, truncated: bool = False) -> KernelLog:
    """Read the output of KERNEL_LOG, newest line first; raises ValueError where no line is one of the kernel's."""
    messages = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match is not None and match[2] == "kernel":
            messages.append(Message(float(match[1]), match[3]))
    if not messages:
        raise ValueError(f"{LOCATOR} prints no line of the kernel")
    messages.reverse()
    return KernelLog(tuple(messages), complete=not truncated and messages[0].seconds < BEGINNING_SECONDS)


def _ran(machine: Machine, *, elevate: bool) -> Ran:
    argv = KERNEL_LOG_AS_ROOT if elevate else KERNEL_LOG
    ran = machine.run(argv, seconds=ATTEMPT_SECONDS, limit=MAX_BYTES, elevate=elevate)
    empty = not ran.stdout.strip() or ran.stdout.strip() == "-- No entries --"
    words = ran.stderr.strip()
    if empty and any(phrase in words.lower() for phrase in NO_RIGHTS):
        raise PermissionError("the kernel log needs root, or membership in the group adm or systemd-journal")
    if empty:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the journal holds no kernel message of this boot: {words}")
    return ran
