"""Where journald keeps the journal, and what the names of its files tell; one header is read, no message.

The names are systemd's (src/libsystemd/sd-journal/journal-file.c): an archived file carries the time of its first
message, a file that was found open after a crash carries the time at which it was put aside. The header is that of
systemd's page on the journal file format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.proc_files import uptime
from diag.nodekit.systemd import INIT_NAME
from diag.nodekit.vocabulary import UnknownReason

ON_DISK = "/var/log/journal"
MACHINE_ID = "/etc/machine-id"
CONFIG_FILES = ("/etc/systemd/journald.conf", "/usr/lib/systemd/journald.conf")
DROP_INS = ("/usr/lib/systemd/journald.conf.d", "/run/systemd/journald.conf.d", "/etc/systemd/journald.conf.d")
STORAGES = ("auto", "persistent", "volatile", "none")
STORAGE = re.compile(r"^\s*Storage\s*=\s*(\w+)\s*$", re.MULTILINE)
ACTIVE = "system.journal"
ARCHIVED = re.compile(r"system@[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{16})\.journal")
PUT_ASIDE = re.compile(r"system@([0-9a-f]{16})-[0-9a-f]{16}\.journal~")
SIGNATURE = b"LPKSHHRH"
FIRST_MESSAGE = slice(184, 192)  # head_entry_realtime, microseconds since the epoch, little-endian
MICROSECONDS = 1e6
SKEW = 3600.0  # a name this much later than now proves nothing about the clock


@dataclass(frozen=True)
class JournalFiles:
    """The system journal on disk; all times in seconds since the epoch.

    `storage` is the setting, `files` are the names in `folder` (None: there is no /var/log/journal), `active_begins`
    is the first message of the file that is written now (None: not known; `hidden`: because it may not be read).
    """

    storage: str
    folder: str
    files: tuple[str, ...] | None
    active_begins: float | None
    hidden: bool
    machine_id_written: float
    booted: float
    now: float

    @property
    def archived(self) -> list[float]:
        """First message of each archived file, oldest first."""
        return _times(ARCHIVED, self.files)

    @property
    def put_aside(self) -> list[float]:
        """When each file that a crash left open was put aside, oldest first."""
        return _times(PUT_ASIDE, self.files)

    def require_on_disk(self) -> None:
        """Raise Unevaluated when nothing is kept, or when what is kept is from the future."""
        if not self.files:
            raise Unevaluated(UnknownReason.PRECONDITION, "no journal is kept on disk; see forensic.journal")
        if max([*self.archived, *self.put_aside], default=0.0) > self.now + SKEW:
            raise Unevaluated(UnknownReason.CLOCK_UNTRUSTED, f"{self.folder} has files from the future")


def observe_journal_files(machine: Machine) -> JournalFiles:
    """Read settings and names; raises NotApplicable, OSError, ValueError."""
    init = machine.read(INIT_NAME)
    if init != "systemd":
        raise NotApplicable(f"the first process is {init}, not systemd")
    folder = f"{ON_DISK}/{machine.read(MACHINE_ID)}"
    files = tuple(machine.names(folder)) if machine.exists(ON_DISK) else None
    begins, hidden = None, False
    if files and ACTIVE in files:
        try:
            begins = parse_header(machine.read_bytes(f"{folder}/{ACTIVE}", FIRST_MESSAGE.stop))
        except PermissionError:
            hidden = True
    now = machine.now()
    return JournalFiles(
        storage(machine), folder, files, begins, hidden, machine.modified(MACHINE_ID), now - uptime(machine), now
    )


def parse_header(header: bytes) -> float | None:
    """When the first message of a journal file was written, None where that is no such header or there is none."""
    if not header.startswith(SIGNATURE) or len(header) < FIRST_MESSAGE.stop:
        return None
    return int.from_bytes(header[FIRST_MESSAGE], "little") / MICROSECONDS or None


def storage(machine: Machine) -> str:
    """The setting of journald.conf(5): drop-ins by their name after the main file, the last valid one wins."""
    main = next((text for text in map(machine.read_or_none, CONFIG_FILES) if text is not None), "")
    drop_ins = {name: f"{folder}/{name}" for folder in DROP_INS for name in machine.names(folder)}
    texts = [main, *(machine.read_or_none(path) or "" for name, path in sorted(drop_ins.items()) if _is_read(name))]
    words = [word for text in texts for word in STORAGE.findall(text) if word in STORAGES]
    return words[-1] if words else "auto"


def _is_read(name: str) -> bool:
    return name.endswith(".conf")


def _times(pattern: re.Pattern[str], files: tuple[str, ...] | None) -> list[float]:
    matches = (pattern.fullmatch(name) for name in files or ())
    return sorted(int(match[1], 16) / MICROSECONDS for match in matches if match is not None)
