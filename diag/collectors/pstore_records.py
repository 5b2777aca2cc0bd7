"""What a dying kernel left in memory that outlives it, and what systemd put aside of it."""

from __future__ import annotations

from collections.abc import Iterable

from diag.nodekit.collector import KIB, Collector, File, Kind, Volatility
from diag.nodekit.machine import Machine

LIVE, ARCHIVE = "/sys/fs/pstore", "/var/lib/systemd/pstore"


def _takes(machine: Machine) -> Iterable[File]:
    for name in machine.names(LIVE):
        yield File(f"live/{name}", f"{LIVE}/{name}", limit=128 * KIB, kind=Kind.BINARY)
    for folder in machine.names(ARCHIVE):
        for name in machine.names(f"{ARCHIVE}/{folder}"):
            yield File(f"archive/{folder}/{name}", f"{ARCHIVE}/{folder}/{name}", limit=128 * KIB, kind=Kind.BINARY)


COLLECTOR = Collector("Records of panics, in firmware memory and archived", Volatility.LOGS, _takes)
