"""Is Secure Boot on? Both are in use on healthy machines: reported, not judged."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Secure Boot state")
FIRMWARE = "/sys/firmware"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SIZE = 5  # four bytes of attributes, then the value


def observe(machine: Machine) -> bytes:
    if "efi" not in machine.names(FIRMWARE):
        if machine.names(FIRMWARE):
            raise NotApplicable("this machine did not boot through UEFI")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{FIRMWARE} lists nothing")
    return machine.read_bytes(SECURE_BOOT, limit=SIZE + 1)


def evaluate(seen: bytes) -> Finding:
    if len(seen) != SIZE or seen[-1] > 1:
        raise ValueError("the SecureBoot variable is not four bytes of attributes and a 0 or 1")
    on = bool(seen[-1])
    return Finding(
        Status.PASS, f"Booted through UEFI, Secure Boot is {'on' if on else 'off'}", value=on, locator=SECURE_BOOT
    )
