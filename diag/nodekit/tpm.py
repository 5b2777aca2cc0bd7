"""What a TPM 2.0 says of itself through tpm2-tools: which authorisations are set, and what of an owner persists.

Sources: TPM 2.0 library specification, part 2 (TPMA_PERMANENT), part 3 (TPM2_Clear); TCG registry of reserved TPM 2.0
handles and localities (persistent objects of the owner 0x81000000 to 0x817FFFFF, NV indices of the owner 0x01800000 to
0x01BFFFFF); tpm2_getcap(1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Seen
from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

GETCAP = "/usr/bin/tpm2_getcap"
SECONDS = 10.0
OWNER_HANDLES = range(0x81000000, 0x81800000)
OWNER_NV = range(0x01800000, 0x01C00000)
FLAGS = ("ownerAuthSet", "endorsementAuthSet", "lockoutAuthSet", "disableClear", "inLockout")


@dataclass(frozen=True)
class TpmState:
    """TPMA_PERMANENT, and the handles of an owner."""

    flags: dict[str, bool]
    handles: tuple[int, ...]
    nv: tuple[int, ...]
    manufacturer: str | None = None
    tool_version: str | None = None

    @property
    def left(self) -> list[str]:
        """What of an owner is there, in words."""
        found = [f"{name} is set" for name in FLAGS[:3] if self.flags[name]]
        found += [f"object 0x{handle:x} persists" for handle in self.handles]
        return found + [f"NV index 0x{handle:x} persists" for handle in self.nv]

    @property
    def seen(self) -> Seen:
        """The state among what was looked at."""
        return {
            "owner_auth": self.flags["ownerAuthSet"], "endorsement_auth": self.flags["endorsementAuthSet"],
            "lockout_auth": self.flags["lockoutAuthSet"], "clear_disabled": self.flags["disableClear"],
            "in_lockout": self.flags["inLockout"], "owner_handles": len(self.handles), "owner_nv": len(self.nv),
            "manufacturer": self.manufacturer, "tool_version": self.tool_version,
        }  # fmt: skip


def observe_tpm(machine: ActingMachine, tcti: str) -> TpmState:
    """Ask the TPM; raises Unevaluated, MissingTool, PermissionError."""
    text = _asked(machine, tcti, "properties-variable")
    flags = {}
    for name in FLAGS:
        match = re.search(rf"^\s*{name}:\s*([01])\s*$", text, re.MULTILINE)
        if match is None:
            raise Unevaluated(UnknownReason.PARSE_ERROR, f"tpm2_getcap does not tell {name}")
        flags[name] = match[1] == "1"
    handles = _handles(_asked(machine, tcti, "handles-persistent"), OWNER_HANDLES)
    nv = _handles(_asked(machine, tcti, "handles-nv-index"), OWNER_NV)
    return TpmState(flags, handles, nv, _manufacturer(machine, tcti), _version(machine))


def _manufacturer(machine: ActingMachine, tcti: str) -> str | None:
    """TPM2_PT_MANUFACTURER: up to four letters, which tpm2-tools print under the number that they are."""
    text = _asked(machine, tcti, "properties-fixed")
    match = re.search(r"TPM2_PT_MANUFACTURER:\s+raw:\s*0x([0-9A-Fa-f]{1,8})\b", text)
    letters = bytes.fromhex(match[1].zfill(8)).strip(b"\0 ").decode("ascii", "replace") if match else ""
    return printable(letters, 8) or None


def _version(machine: ActingMachine) -> str | None:
    """The release of tpm2-tools."""
    match = re.search(r'version="([^"\s]{1,40})"', machine.look((GETCAP, "--version"), seconds=SECONDS).stdout)
    return printable(match[1], 40) if match else None


def _handles(text: str, of: range) -> tuple[int, ...]:
    found = (int(word, 16) for word in re.findall(r"^\s*-\s*(0x[0-9A-Fa-f]{1,8})\s*?$", text, re.MULTILINE))
    return tuple(handle for handle in found if handle in of)


def _asked(machine: ActingMachine, tcti: str, what: str) -> str:
    ran = machine.look((GETCAP, f"--tcti={tcti}", what), seconds=SECONDS)
    if ran.exit_status != 0:
        words = printable(one_line(ran.stderr or ran.stdout), 200)
        raise Unevaluated(UnknownReason.PRECONDITION, f"tpm2_getcap {what} ended with {ran.exit_status}: {words}")
    return ran.stdout
