"""What a dying kernel left in memory that outlives it, and what systemd put aside of it."""

from __future__ import annotations

from collections.abc import Iterable

from diag.nodekit.collector import KIB, Collector, File, Kind, Volatility
from diag.nodekit.machine import Machine

LIVE, ARCHIVE = "/sys/fs/pstore", "/var/lib/systemd/pstore"
ARCHIVE_DEPTH = 2  # systemd-pstore: a folder by the second, since version 255 with one for each count in it
PACKED = ".enc.z"  # what the kernel could not unpack


def _takes(machine: Machine) -> Iterable[File]:
    yield from _records(machine, "live", LIVE, 0)
    yield from _records(machine, "archive", ARCHIVE, ARCHIVE_DEPTH)


def _records(machine: Machine, name: str, path: str, depth: int) -> Iterable[File]:
    """The newest first, since there is a limit to their number: their names begin with the time."""
    below = list(reversed(machine.names(path)))
    for entry in below:
        if depth and machine.names(f"{path}/{entry}"):
            yield from _records(machine, f"{name}/{entry}", f"{path}/{entry}", depth - 1)
        else:
            kind = Kind.BINARY if entry.endswith(PACKED) else Kind.TEXT
            yield File(f"{name}/{entry}", f"{path}/{entry}", limit=64 * KIB, kind=kind)


COLLECTOR = Collector("Records of panics, in firmware memory and archived, file by file", Volatility.LOGS, _takes)
