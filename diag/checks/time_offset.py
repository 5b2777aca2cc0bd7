"""How far was the clock from its time server when it last asked?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Offset of the clock")
TIMESYNC_STATUS = ("timedatectl", "timesync-status")
OFFSET = Threshold(
    Comparison.ABOVE,
    warn=1.0,
    fail=5.0,
    provenance="observed: a GB10 stood 12 s off for hours, unnoticed (2026); the bounds are judgement",
)
UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "month": 2629800.0,
    "y": 31557600.0,
}  # fmt: skip
PART = rf"(\d+(?:\.\d+)?)({'|'.join(UNITS)})"


@dataclass(frozen=True)
class Offset:
    """Seconds between the clock and its server, and the server's name."""

    seconds: float
    server: str


def observe(machine: Machine) -> Offset:
    ran = machine.run(TIMESYNC_STATUS, seconds=3.0)
    if ran.exit_status != 0:
        raise Unevaluated(
            UnknownReason.PRECONDITION, f"systemd-timesyncd does not answer ({ran.exit_status}): {one_line(ran.stderr)}"
        )
    rows = dict(line.strip().split(": ", 1) for line in ran.stdout.splitlines() if ": " in line)
    if "Offset" not in rows:
        raise Unevaluated(UnknownReason.PRECONDITION, "systemd-timesyncd has had no answer from a time server yet")
    return Offset(parse_span(rows["Offset"]), rows.get("Server", "an unnamed server").strip())


def evaluate(seen: Offset) -> Finding:
    return judged(
        OFFSET,
        round(abs(seen.seconds), 6),
        f"The clock was {seen.seconds:+.3g} s from {seen.server} when it last asked",
        action="Check the reachability of the time server; restart systemd-timesyncd, then look again",
        unit="s",
        locator=" ".join(TIMESYNC_STATUS),
        readings=(Reading("offset", seen.seconds, "s"), Reading("server", seen.server)),
    )


def parse_span(text: str) -> float:
    """Seconds of a time span as systemd prints it: `+1.234ms`, `-1min 2.5s`; raises ValueError."""
    match = re.fullmatch(rf"([+-]?)((?:{PART} ?)+)", text.strip())
    if match is None:
        raise ValueError(f"{text} is not a time span")
    seconds = sum(float(value) * UNITS[unit] for value, unit in re.findall(PART, match[2]))
    return -seconds if match[1] == "-" else seconds
