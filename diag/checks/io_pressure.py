"""Does all work stand still for storage?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import PRESSURE, Pressure, pressure
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Pressure on storage")
STALLED = Threshold(
    Comparison.ABOVE, warn=30.0, provenance="kernel, Documentation/accounting/psi.rst for the meaning; 30 %: judgement"
)


def observe(machine: Machine) -> Pressure:
    return pressure(machine, "io")


def evaluate(seen: Pressure) -> Finding:
    if seen.full60 is None:
        raise ValueError(f"{PRESSURE}/io has no line `full`")
    return judged(
        STALLED,
        seen.full60,
        f"In the last minute all work stood still for storage {seen.full60:g} % of the time",
        action="Find who reads and writes with `pidstat -d 1`; then see the nvme checks and `journalctl -k`",
        unit="%",
        locator=f"{PRESSURE}/io",
        readings=(Reading("full avg10", seen.full10, "%"), Reading("some avg60", seen.some60, "%")),
    )
