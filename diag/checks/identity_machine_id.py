"""Does the node have a machine id of its own?"""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Machine id", required=False)
MACHINE_ID = "/etc/machine-id"
ACTION = f"Run `rm {MACHINE_ID} && systemd-machine-id-setup` and reboot; services and logs tell machines apart by it"


def observe(machine: Machine) -> str | None:
    content = machine.read_or_none(MACHINE_ID)
    if content is None and not machine.names("/etc"):
        raise FileNotFoundError(2, "No such file or directory", MACHINE_ID)
    return content


def evaluate(seen: str | None) -> Finding:
    fault = _fault(seen)
    if fault is None:
        return Finding(Status.PASS, "The machine id is well-formed", value=seen, locator=MACHINE_ID)
    return Finding(Status.FAIL, fault, value=(seen or "")[:120], locator=MACHINE_ID, action=ACTION)


def _fault(seen: str | None) -> str | None:
    if seen is None:
        return f"There is no {MACHINE_ID}"
    if not seen or seen == "uninitialized":
        return f"{MACHINE_ID} is not initialised"
    if not re.fullmatch("[0-9a-f]{32}", seen):
        return f"{MACHINE_ID} does not hold 32 hexadecimal digits"
    if not seen.strip("0"):
        return f"{MACHINE_ID} holds zeros only"
    return None
