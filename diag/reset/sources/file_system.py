"""What the initramfs found when it checked the root file system, before it was mounted in the running boot.

initramfs-tools keeps the log in /run, which begins empty with each boot, so it is of the running one. Both it and the
mount use the same name of the device (scripts/local), by which the check of the root is told from that of /usr.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.mounts import mounts
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.reset.evidence import Report, Seen, excerpt
from diag.reset.scope import Scope
from diag.reset.sources.boot import current_boot
from diag.reset.words import Source, SourceState

SECONDS = 3.0
ELEVATED: tuple[tuple[str, ...], ...] = ()
LOG, RECORDED = "/run/initramfs/fsck.log", "/cmd/initramfs-fsck.log"
MAX_BYTES, MOST_CHECKS = 64 * 1024, 64
HEADER = re.compile(r"^Log of fsck\b.* (\S+)\s*$")
# e2fsck's words, behind the label or the device of the file system.
RECOVERED, CLEAN = re.compile(r"^\S.*: recovering journal\s*$"), re.compile(r"^\S.*: clean, \d+/\d+ files")


@dataclass(frozen=True)
class Check:
    """One run of fsck: the device, and what was printed."""

    device: str
    lines: tuple[str, ...]

    def first(self, pattern: re.Pattern[str]) -> str | None:
        """The first line that matches."""
        return next((line for line in self.lines if pattern.match(line)), None)


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """`root_recovered` where the journal of the root file system had to be replayed, else `root_clean` if it says so.

    Raises FileNotFoundError where there is no log, Unevaluated where it tells nothing of the root.
    """
    path = RECORDED if not machine.as_live and machine.exists(RECORDED) else LOG
    checks = parse(machine.read(path, MAX_BYTES))
    root = root_check(checks, _device_of_root(machine))
    if root is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{path} holds no check that is known to be of the root")
    recovered, clean = root.first(RECOVERED), root.first(CLEAN)
    line = recovered or clean
    if line is None:
        return Report(Source.FILE_SYSTEM, SourceState.READ, f"{root.device}: fsck neither recovered nor found it clean")
    kind = "root_recovered" if recovered else "root_clean"
    seen = Seen(
        Source.FILE_SYSTEM, kind, path, excerpt(line), boot_id=current_boot(machine), value=excerpt(root.device)[:100]
    )
    return Report(Source.FILE_SYSTEM, SourceState.READ, seen=(seen,))


def parse(text: str) -> list[Check]:
    """The checks in the order they were made."""
    checks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        header = HEADER.match(line)
        if header is not None:
            checks.append((header[1], []))
        elif checks:
            checks[-1][1].append(line)
    return [Check(device, tuple(lines)) for device, lines in checks[:MOST_CHECKS]]


def root_check(checks: list[Check], device: str | None) -> Check | None:
    """The checks of `device` as one, for one that fails is repeated; where it is not told, the only check there is."""
    if device is None:
        return checks[0] if len(checks) == 1 else None
    mine = [check.lines for check in checks if check.device == device]
    return Check(device, tuple(line for lines in mine for line in lines)) if mine else None


def _device_of_root(machine: Machine) -> str | None:
    """What is mounted as root, None where that is not a device that has a name (`/dev/root`, an overlay)."""
    try:
        sources = [mount.source for mount in mounts(machine) if mount.target == "/"]
    except (OSError, ValueError):
        return None
    named = [source for source in sources if source.startswith("/dev/") and source != "/dev/root"]
    return named[-1] if named else None
