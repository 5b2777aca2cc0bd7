"""Does the hardware clock agree with the system's? Until the network is up, messages of a boot carry its time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Hardware clock")
# One command for both clocks, so that they are read at the same moment; whole seconds in the node's own zone.
CLOCKS = ("timedatectl", "show", "-p", "LocalRTC", "-p", "TimeUSec", "-p", "RTCTimeUSec")
RTC = "/sys/class/rtc"
STAMP = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: \S+)?")
APART = Threshold(
    Comparison.ABOVE,
    warn=60.0,
    provenance="kernel, timekeeping: a synchronised clock is copied to the hardware clock every 11 minutes; 60 s: "
    "judgement",
)


@dataclass(frozen=True)
class Clocks:
    """What `timedatectl` prints; whether the kernel lists a hardware clock, and whether /sys/class was listed."""

    properties: dict[str, str]
    has_rtc: bool
    listed: bool


def observe(machine: Machine) -> Clocks:
    ran = machine.run(CLOCKS, seconds=3.0)
    if ran.exit_status != 0:
        words = f"timedatectl ended with {ran.exit_status}: {one_line(ran.stderr)}"
        raise Unevaluated(UnknownReason.PRECONDITION, words)
    properties = dict(line.split("=", 1) for line in ran.stdout.splitlines() if "=" in line)
    return Clocks(properties, bool(machine.names(RTC)), bool(machine.names("/sys/class")))


def evaluate(seen: Clocks) -> Finding:
    told = seen.properties.get("RTCTimeUSec", "")
    if told in ("", "0", "n/a"):
        if seen.listed and not seen.has_rtc:
            raise NotApplicable("the kernel lists no hardware clock")
        raise Unevaluated(UnknownReason.PRECONDITION, "timedatectl does not tell the hardware clock")
    if seen.properties.get("LocalRTC") == "yes":
        raise Unevaluated(UnknownReason.PRECONDITION, "the hardware clock keeps local time: set-local-rtc is on")
    apart = (_moment(told) - _moment(seen.properties.get("TimeUSec", ""))).total_seconds()
    return judged(
        APART,
        abs(apart),
        f"The hardware clock is {apart:+.0f} s from the system's",
        action="When time.synchronised passes, run `hwclock --systohc`; if it drifts again, the clock battery is empty",
        unit="s",
        locator=" ".join(CLOCKS[:2]),
        readings=(Reading("hardware clock", told[:120]),),
    )


def _moment(text: str) -> dt.datetime:
    """The wall time; both clocks are printed in one zone, so the zone does not matter."""
    match = STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a time of timedatectl")
    return dt.datetime.fromisoformat(match[1])
