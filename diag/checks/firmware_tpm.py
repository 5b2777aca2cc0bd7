"""Is there a TPM 2.0, as every GB10 has one?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="TPM 2.0")
TPM = "/sys/class/tpm"
ACTION = "Look for it in the firmware set-up and in `journalctl -k -b -g tpm`; sealed keys do not open without it"


@dataclass(frozen=True)
class Tpm:
    """The major version of the first TPM, None when there is none; whether /sys/class could be listed; the platform."""

    major: str | None
    listed: bool
    is_gb10: bool | None


def observe(machine: Machine) -> Tpm:
    names = [name for name in machine.names(TPM) if name.startswith("tpm")]
    major = machine.read(f"{TPM}/{names[0]}/tpm_version_major").strip() if names else None
    return Tpm(major, bool(machine.names("/sys/class")), platform_evidence(machine).is_gb10)


def evaluate(seen: Tpm) -> Finding:
    if seen.major is None:
        if not seen.listed or seen.is_gb10 is None:
            raise Unevaluated(UnknownReason.PRECONDITION, f"no TPM in {TPM}, and what machine this is is not known")
        if not seen.is_gb10:
            raise NotApplicable("this machine has no TPM")
        return Finding(Status.WARN, "The kernel lists no TPM, and a GB10 has one", locator=TPM, action=ACTION)
    major = int(seen.major)
    if major < 2:
        return Finding(Status.WARN, f"The TPM speaks version {major} only", value=major, locator=TPM, action=ACTION)
    return Finding(Status.PASS, f"A TPM {major}.0 is present", value=major, locator=TPM)
