"""Who the node says it is, and whether its clock is synchronised: the `meta.node` and `meta.clock` of a document."""

from __future__ import annotations

import os

from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.release import read_dgx_release
from diag.nodekit.timesync import clock_synchronised

# What firmware writes where nobody wrote a serial; the common fillers, none of them seen on a GB10.
PLACEHOLDER_SERIALS = frozenset(
    {"", "default string", "to be filled by o.e.m.", "not specified", "n/a", "none", "system serial number", "0"}
)


class NodeFacts:
    """A task for a worker; answers one document with `node` and `clock`."""

    seconds = 4.0

    def __init__(self, *, is_here: bool = True) -> None:
        """`is_here` says that the machine is the one this program runs on, whose name the kernel tells at once."""
        self._is_here = is_here

    def judge(self, machine: Machine) -> tuple[list[Document], list[str]]:
        """Read the facts; what cannot be read is null."""
        serial, source = read_serial(machine)
        node = {
            "hostname": _first_line(machine, "/proc/sys/kernel/hostname") or "unnamed",
            "boot_id": _first_line(machine, "/proc/sys/kernel/random/boot_id"),
            "serial": serial,
            "serial_source": source,
            "product": _first_line(machine, "/sys/class/dmi/id/product_name"),
        }
        return [{"node": node, "clock": {"synchronised": clock_synchronised(machine)}}], []

    def unjudged(self, reason: str, summary: str) -> list[Document]:  # noqa: ARG002 - the words go to the findings
        """What can be said without reading anything."""
        node = {
            "hostname": (printable(os.uname().nodename, 120) if self._is_here else "") or "unnamed",
            "boot_id": None,
            "serial": None,
            "serial_source": reason,
            "product": None,
        }
        return [{"node": node, "clock": {"synchronised": None}}]


def read_serial(machine: Machine) -> tuple[str | None, str]:
    """The product serial and where it was read, or None and why not.

    SMBIOS first (root only), then the `DGX_SERIAL_NUMBER` that the factory image writes to /etc/dgx-release.
    """
    why = "absent"
    try:
        serial = (machine.read_or_none("/sys/class/dmi/id/product_serial") or "").strip()
        if serial.lower() not in PLACEHOLDER_SERIALS:
            return printable(serial, 120), "smbios.product_serial"
    except PermissionError:
        why = "not_permitted"
    except OSError:
        why = "io_error"
    serial = read_dgx_release(machine).get("DGX_SERIAL_NUMBER", "")
    if serial.lower() not in PLACEHOLDER_SERIALS:
        return printable(serial, 120), "dgx-release"
    return None, why


def _first_line(machine: Machine, path: str) -> str | None:
    try:
        lines = (machine.read_or_none(path) or "").splitlines()
    except OSError:
        return None
    return printable(lines[0].strip(), 120) if lines and lines[0].strip() else None
