"""tpm2_getcap and tpm2_clear of a simulated node: a TPM with what an owner keeps in it, until it is cleared."""

from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.stand_ins.said import complain, say

NOT_WELL = 1
FLAGS = ("ownerAuthSet", "endorsementAuthSet", "lockoutAuthSet", "disableClear", "inLockout")
ENDORSEMENT_KEY, STORAGE_KEY = "0x81010001", "0x81000001"
"""Persistent objects of both hierarchies, which TPM2_Clear evicts (TPM 2.0 library specification, part 3)."""

CERTIFICATE, OWNERS_INDEX = "0x1C00002", "0x1800001"
"""NV indices: that of the maker, which stays, and one of an owner."""


def tpm2_getcap(folder: Path, arguments: list[str]) -> int:
    """What it holds, as tpm2-tools print it."""
    if "--version" in arguments:
        say('tool="tpm2_getcap" version="5.6" tctis="simulated" tcti-default=tcti-device')
        return 0
    if (gone := _absent(folder)) is not None:
        return gone
    cleared = node_state.read(folder).tpm_cleared
    said = {
        "properties-fixed": 'TPM2_PT_MANUFACTURER:\n  raw: 0x53494D00\n  value: "SIM"',
        "properties-variable": "TPM2_PT_PERMANENT:\n" + "\n".join(f"  {flag + ':':<26} 0" for flag in FLAGS),
        "handles-persistent": _listed([] if cleared else [STORAGE_KEY, ENDORSEMENT_KEY]),
        "handles-nv-index": _listed([*([] if cleared else [OWNERS_INDEX]), CERTIFICATE]),
    }
    if arguments[-1] not in said:
        complain(f"ERROR: Unknown capability {arguments[-1]}, which this lab does not play")
        return NOT_WELL
    say(said[arguments[-1]])
    return 0


def tpm2_clear(folder: Path, arguments: list[str]) -> int:  # noqa: ARG001 - as every stand-in
    """By the lockout hierarchy, which has no authorisation."""
    if (gone := _absent(folder)) is not None:
        return gone
    with node_state.changing(folder) as state:
        state.tpm_cleared = True
    return 0


def _absent(folder: Path) -> int | None:
    if node_state.facts(folder)["drive"] is None:  # no Spark, and so without a TPM
        complain("ERROR:tcti:src/tss2-tcti/tcti-device.c:455 Failed to open specified TCTI device file /dev/tpmrm0")
        return NOT_WELL
    return None


def _listed(handles: list[str]) -> str:
    return "\n".join(f"- {handle}" for handle in handles)
