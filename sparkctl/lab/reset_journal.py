"""The boots of a simulated node as its journal has them, and as `journalctl -o json` exports them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_lines import JOURNALD_STARTS, beginning
from sparkctl.lab.reset_story import KERNEL, Boot, Line

SECOND = 1_000_000
FIRST_NUMBER = 0x3A1F
TAKEN, APART = 230, 60
"""Microseconds from a message of the kernel to its entry, and between the entries of what journald found waiting."""


@dataclass(frozen=True)
class Said:
    """A line with its time in microseconds since the kernel started, and the time at which journald took it."""

    at: int
    arrived: int
    line: Line


@dataclass(frozen=True)
class Lived:
    """A boot in its place in time: `began` in seconds since 1970 by a clock that is right.

    `journal` is in the order of writing, `kernel` is the log of the kernel with what never reached the disk, `release`
    is which kernel it was.
    """

    boot: Boot
    boot_id: str
    began: float
    journal: tuple[Said, ...]
    kernel: tuple[Said, ...]
    release: str

    def clock(self, at: float) -> float:
        """What its clock of the day showed `at` seconds after it began."""
        since, shown = max((setting for setting in self.boot.clocks if setting[0] <= at), key=lambda one: one[0])
        return self.began + at if shown is None else shown + at - since


def live(node: NodeModel, boot: Boot, before: Boot | None, began: float, *, runs: bool, moved: Iterable[str]) -> Lived:
    """All that a boot said: as the kernel of the running one, what the node's kernel log says."""
    release = boot.release or node.kernel
    start = beginning(node if runs else replace(node, kernel_lines=(), kernel=release), boot, before, moved)
    lines = [*(line for line in start if not runs or line.at <= node.uptime), *boot.lines, *boot.unsaved]
    timed = [(_microseconds(node, f"{boot.name} {number}", line, runs=runs), line) for number, line in enumerate(lines)]
    saved = tuple(_taken(timed[: len(lines) - len(boot.unsaved)]))
    unsaved = tuple(Said(at, at, line) for at, line in timed[len(saved) :])
    kernel = sorted((*saved, *unsaved), key=lambda said: said.at)
    boot_id = node.boot_id if runs else node.earlier_boot_id(boot.name)
    of_kernel = tuple(said for said in kernel if said.line.writer.transport == KERNEL.transport)
    return Lived(boot, boot_id, began, saved, of_kernel, release)


def _microseconds(node: NodeModel, name: str, line: Line, *, runs: bool) -> int:
    """No two boots say the same at the same microsecond; the kernel log of the running one is left as it is."""
    exact = round(line.at * SECOND)
    return exact if not exact or (runs and line.writer == KERNEL) else exact + 1 + node.jitter(name, 798)


def _taken(timed: list[tuple[int, Line]]) -> Iterator[Said]:
    """In the order in which journald took them: what was said before it started waited in the kernel's log."""
    start = round(JOURNALD_STARTS * SECOND)
    waiting = [(max(at, start) if line.writer.transport == KERNEL.transport else at, at, line) for at, line in timed]
    last = 0
    for since, at, line in sorted(waiting, key=lambda one: one[:2]):
        last = max(since + (TAKEN if line.writer.transport == KERNEL.transport else 0), last + APART)
        yield Said(at, last, line)


def exported(node: NodeModel, boots: Iterable[Lived]) -> list[tuple[Lived, str]]:
    """The boots that the journal still holds, oldest first, each with its entries as JSON, one a line.

    Entries are numbered from boot to boot, also those of a boot that was lost.
    """
    number, found = FIRST_NUMBER, []
    for lived in boots:
        if lived.boot.in_journal:
            rows = (_entry(node, lived, said, number + place) for place, said in enumerate(lived.journal))
            found.append((lived, "".join(f"{json.dumps(row)}\n" for row in rows)))
        number += len(lived.journal)
    return found


def listed(boots: list[Lived]) -> str:
    """What `journalctl --list-boots -o json` prints of these boots, oldest first."""
    rows = [
        {
            "index": place + 1 - len(boots),
            "boot_id": lived.boot_id.replace("-", ""),
            "first_entry": _real(lived, lived.journal[0]),
            "last_entry": _real(lived, lived.journal[-1]),
        }
        for place, lived in enumerate(boots)
    ]
    return json.dumps(rows) + "\n"


def _real(lived: Lived, said: Said) -> int:
    return round(lived.clock(said.arrived / SECOND) * SECOND)


def _entry(node: NodeModel, lived: Lived, said: Said, number: int) -> dict[str, str]:
    line, boot_id, real = said.line, lived.boot_id.replace("-", ""), _real(lived, said)
    mark = hashlib.blake2b(f"{boot_id} {number}".encode(), digest_size=8).hexdigest()
    sequence = node.material("journal", 16).hex()
    entry = {
        "__CURSOR": f"s={sequence};i={number:x};b={boot_id};m={said.arrived:x};t={real:x};x={mark}",
        "__REALTIME_TIMESTAMP": str(real),
        "__MONOTONIC_TIMESTAMP": str(said.arrived),
        "_BOOT_ID": boot_id,
        "_MACHINE_ID": node.machine_id,
        "_HOSTNAME": node.name,
        "_TRANSPORT": line.writer.transport,
        "PRIORITY": str(line.level),
        "SYSLOG_IDENTIFIER": line.writer.identifier,
        "MESSAGE": line.message,
    }
    if line.writer.transport == KERNEL.transport:
        entry["_SOURCE_MONOTONIC_TIMESTAMP"] = str(said.at)
    if line.writer.pid is not None:
        entry |= {"_PID": str(line.writer.pid), "_UID": str(line.writer.uid), "_COMM": line.writer.comm}
        entry["_SYSTEMD_UNIT"] = line.writer.unit
        entry |= {"_EXE": line.writer.exe} if line.writer.exe else {}
    return entry | ({"MESSAGE_ID": line.message_id} if line.message_id else {}) | dict(line.fields)
