"""systemd units that somebody put on this machine, beside those that packages brought."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.words import bounded, name

FOLDERS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")
WANTED = (".wants", ".requires", ".upholds")
KINDS = (".service", ".socket", ".timer", ".mount", ".automount", ".path", ".swap", ".target", ".slice")
SNAP = ("snap-", "snap.", "var-snap-")  # snapd writes these itself for every snap
MAX_UNITS = 500


def local_units(machine: Machine, packaged: Collection[str]) -> dict[str, Any]:
    """Whether each is enabled, by name; `packaged` are the names that a package brought to /etc/systemd/system.

    A link in /etc/systemd/system is an alias, a mask or an enabled unit of elsewhere, so only files count.
    """
    found = {
        unit
        for folder in FOLDERS
        for unit in machine.names(folder)
        if unit.endswith(KINDS)
        and not unit.startswith(SNAP)
        and unit not in packaged
        and machine.link_target(f"{folder}/{unit}") is None
    }
    wanted = enabled(machine)
    return bounded({name(unit): {"enabled": unit in wanted} for unit in sorted(found)}, MAX_UNITS, "local units")


def enabled(machine: Machine) -> set[str]:
    """Units that another one pulls in by a link in /etc/systemd/system."""
    top = FOLDERS[0]
    return {
        unit for folder in machine.names(top) if folder.endswith(WANTED) for unit in machine.names(f"{top}/{folder}")
    }
