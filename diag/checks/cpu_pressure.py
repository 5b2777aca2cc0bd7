"""Do tasks wait for a processor?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import PRESSURE, Pressure, pressure
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Pressure on the processors")
WAITING = Threshold(
    Comparison.ABOVE, warn=80.0, provenance="kernel, Documentation/accounting/psi.rst for the meaning; 80 %: judgement"
)


def observe(machine: Machine) -> Pressure:
    return pressure(machine, "cpu")


def evaluate(seen: Pressure) -> Finding:
    return judged(
        WAITING,
        seen.some60,
        f"In the last minute some task waited for a processor {seen.some60:g} % of the time",
        action="Find the busy processes with `top`; move or limit what does not belong on the node",
        unit="%",
        locator=f"{PRESSURE}/cpu",
        readings=(Reading("some avg10", seen.some10, "%"), Reading("some avg60", seen.some60, "%")),
    )
