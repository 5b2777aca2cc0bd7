"""Read a journal by boots: with journalctl on its files, or from what journalctl once exported as JSON.

With elevated rights a boot is named by its offset (0 is the newest, -1 the one before), so that a sudoers rule without
wildcards can name the whole argv; else by its id.
"""

from __future__ import annotations

import json
import re
from typing import Protocol

from diag.nodekit.command import Ran
from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool
from diag.nodekit.vocabulary import Origin
from diag.reset.entries import FIELDS, MAX_NUMBER, Entry, in_order, is_spoilt, parse_entries
from diag.reset.evidence import dashed
from diag.reset.stretch import Stretch, gapless_before_the_end, gapless_from_the_beginning

ON_DISK, IN_MEMORY = "/var/log/journal", "/run/log/journal"
NEWEST, KERNEL_NEWEST, ALARMS = 2400, 1000, 1000  # entries; what lies before them counts as not looked at
NEWEST_OF_RUNNING = 400  # of the boot that runs, whose end nobody asks for
TAIL_BYTES, HEAD_BYTES = 8 * 1024 * 1024, 4 * 1024 * 1024
START_S = 600.0  # of a boot: later nothing tells of the one before
LIST_BYTES = 4 * 1024 * 1024
PART_BYTES = 4 * 1024 * 1024
EXPORT_BYTES = 16 * 1024 * 1024
SECONDS = 6.0
ELEVATED_BOOTS = 2
MOST_CANDIDATES = 40  # boots that may have come before one
JSON = ("--no-pager", "--quiet", "--output=json", f"--output-fields={','.join(FIELDS)}")
LIST_BOOTS = ("--no-pager", "--quiet", "--output=json", "--list-boots")
BOOT_ID = re.compile(r"\b[0-9a-f]{32}\b")
NO_RIGHTS = ("insufficient permissions", "not seeing messages from other users", "permission denied")
BROKEN = re.compile(r"corrupt|truncated|bad message|ignoring (file|entry)|protocol not supported", re.IGNORECASE)


def tail(boot: int | str, entries: int = NEWEST) -> tuple[str, ...]:
    """Arguments for the newest entries of a boot, newest first."""
    return (*JSON, f"--boot={boot}", "--reverse", f"--lines={entries}")


def tail_of_running(boot: int | str) -> tuple[str, ...]:
    """Arguments for the newest entries of the boot that runs, newest first."""
    return tail(boot, NEWEST_OF_RUNNING)


def kernel_tail(boot: int | str) -> tuple[str, ...]:
    """Arguments for the newest kernel messages of a boot, newest first."""
    return (*JSON, f"--boot={boot}", "--reverse", f"--lines={KERNEL_NEWEST}", "--dmesg")


def alarms(boot: int | str) -> tuple[str, ...]:
    """Arguments for the newest kernel messages from `warning` up, newest first."""
    return (*JSON, f"--boot={boot}", "--reverse", f"--lines={ALARMS}", "--dmesg", "--priority=warning")


def head(boot: int | str) -> tuple[str, ...]:
    """Arguments for the entries of a boot from the first one on; to be read up to a limit of bytes."""
    return (*JSON, f"--boot={boot}")


class Journal(Protocol):
    """A journal that can be read by boots. `boots` are dashed ids, oldest first."""

    boots: list[str]

    @property
    def complaints(self) -> list[str]:
        """What the reader said of files that it could not read whole."""

    def ending(self, boot_id: str) -> Stretch:
        """The end of a boot: its newest entries, and kernel messages further back; raises OSError, MissingTool."""

    def beginning(self, boot_id: str) -> Stretch:
        """The beginning of a boot; raises OSError, MissingTool."""

    def before(self, boot_id: str) -> str | None:
        """The boot that wrote to this journal before this one, by the order of writing where that is known."""

    def holds(self, boot_id: str) -> bool:
        """Whether it has entries of a boot, listed or not: a clock that was set back may hide one from the list."""


ELEVATED = tuple(
    ("/usr/bin/journalctl", *arguments)
    for arguments in (
        LIST_BOOTS,
        *(part(0) for part in (tail_of_running, kernel_tail, alarms, head)),
        *(part(offset) for offset in range(-1, -ELEVATED_BOOTS, -1) for part in (tail, kernel_tail, alarms, head)),
    )
)
"""What a run that may elevate commands runs as root: enough for the newest transition."""


class JournalFiles:
    """A journal that journalctl reads: that of the running machine, or a folder of journal files."""

    def __init__(self, machine: Machine, folder: str | None = None, *, elevate: bool = False) -> None:
        self._machine, self._elevate = machine, elevate
        self._where = () if folder is None else (f"--directory={folder}",)
        self._complaints: list[str] = []
        self._beginnings: dict[str, Stretch] = {}
        listed = parse_boots(self._run(LIST_BOOTS, LIST_BYTES).stdout)
        self.boots = listed[-ELEVATED_BOOTS:] if elevate else listed

    @property
    def complaints(self) -> list[str]:
        """What journalctl said of files that it could not read whole."""
        return self._complaints

    def ending(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        name = self._name(boot_id)
        of_end = tail_of_running if boot_id == self.boots[-1] else tail
        newest, _ = self._entries(boot_id, of_end(name), TAIL_BYTES)
        further = [
            entry for part in (kernel_tail(name), alarms(name)) for entry in self._entries(boot_id, part, PART_BYTES)[0]
        ]
        return Stretch(in_order(newest + further), gapless_before_the_end(newest))

    def beginning(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        if boot_id not in self._beginnings:
            entries, is_all = self._entries(boot_id, head(self._name(boot_id)), HEAD_BYTES, START_S)
            self._beginnings[boot_id] = Stretch(entries, gapless_from_the_beginning(entries), is_all)
        return self._beginnings[boot_id]

    def before(self, boot_id: str) -> str | None:
        """As Journal has it: by the numbers of the entries, since a clock that was set may have changed the list."""
        first = next(iter(self.beginning(boot_id).entries), None)
        listed = _listed_before(self.boots, boot_id)
        if first is None or first.sequence is None or self._elevate:
            return listed
        others = [boot for boot in reversed(self.boots) if boot != boot_id][:MOST_CANDIDATES]
        for boot in sorted(others, key=lambda boot: boot != listed):
            if self._last_number(boot) == first.sequence - 1:
                return boot
        return listed

    def holds(self, boot_id: str) -> bool:
        """As Journal has it."""
        if boot_id not in self.boots and not self._elevate and self._last_number(boot_id) is not None:
            self.boots.append(boot_id)
        return boot_id in self.boots

    def _last_number(self, boot_id: str) -> int | None:
        arguments = (*JSON, f"--boot={self._name(boot_id)}", "--reverse", "--lines=1")
        return next((entry.sequence for entry in parse_entries(self._run(arguments, PART_BYTES).stdout)), None)

    def _name(self, boot_id: str) -> int | str:
        if self._elevate:
            return self.boots.index(boot_id) - len(self.boots) + 1
        return boot_id.replace("-", "")

    def _entries(
        self, boot_id: str, arguments: tuple[str, ...], limit: int, until_s: float = MAX_NUMBER
    ) -> tuple[list[Entry], bool]:
        """The entries of a boot that a command printed, in order, and whether it came to its end."""
        ran = self._run(arguments, limit)
        entries = in_order(entry for entry in parse_entries(ran.stdout, until_s) if entry.boot_id == boot_id)
        return entries, ran.exit_status == 0 and not ran.truncated

    def _run(self, arguments: tuple[str, ...], limit: int) -> Ran:
        if self._where:
            ran = self._machine.run_here(("journalctl", *self._where, *arguments), seconds=SECONDS, limit=limit)
        elif self._elevate:
            ran = self._machine.run(("/usr/bin/journalctl", *arguments), seconds=SECONDS, limit=limit, elevate=True)
        else:
            ran = self._machine.run(("journalctl", *arguments), seconds=SECONDS, limit=limit)
        if any(words in ran.stderr.lower() for words in NO_RIGHTS) and not self._elevate:
            raise PermissionError("the system journal needs root, or membership in adm or systemd-journal")
        if BROKEN.search(ran.stderr):
            self._complaints.append(ran.stderr.strip().splitlines()[0])
        return ran


class ExportedJournal:
    """What `journalctl -o json` printed once, in `cmd/journal0.json`, `cmd/journal-1.json` and so on of a tree."""

    def __init__(self, machine: Machine) -> None:
        printed: dict[str, list[Entry]] = {}
        self._complaints: list[str] = []
        order: list[str] = []
        for name in sorted((n for n in machine.names("/cmd") if _export_index(n) is not None), key=_export_key):
            read = machine.read_bytes(f"/cmd/{name}", EXPORT_BYTES + 1)
            content = read[:EXPORT_BYTES].decode("utf-8", "replace")
            entries = parse_entries(content)
            if len(read) > EXPORT_BYTES:
                self._complaints.append(f"/cmd/{name} has more than {EXPORT_BYTES >> 20} MiB: the rest was not read")
            elif is_spoilt(content, entries):
                self._complaints.append(f"/cmd/{name} has lines that are no entries of a journal")
            for entry in entries:
                printed.setdefault(entry.boot_id, []).append(entry)
            order += [boot for boot in printed if boot not in order]
        self._entries = {boot: in_order(entries) for boot, entries in printed.items()}
        listed = _listed(machine)
        older = [boot for boot in listed if boot not in order]
        self.boots = older + [boot for boot in listed if boot in order] + [b for b in order if b not in listed]

    @property
    def complaints(self) -> list[str]:
        """Files that are no export, or not all of it."""
        return self._complaints

    def ending(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        entries = self._entries.get(boot_id, [])
        return Stretch(entries, gapless_before_the_end(entries))

    def beginning(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        entries = self._entries.get(boot_id, [])
        return Stretch(entries, gapless_from_the_beginning(entries))

    def before(self, boot_id: str) -> str | None:
        """As Journal has it: by the numbers of the entries, since a clock that was set may have changed the list."""
        first = next(iter(self._entries.get(boot_id, [])), None)
        number = first.sequence if first else None
        ends = {boot: self._entries[boot][-1].sequence for boot in self.boots if self._entries.get(boot)}
        going_on = [
            boot for boot, last in ends.items() if number is not None and last == number - 1 and boot != boot_id
        ]
        return going_on[0] if going_on else _listed_before(self.boots, boot_id)

    def holds(self, boot_id: str) -> bool:
        """As Journal has it."""
        return boot_id in self.boots


def _listed_before(boots: list[str], boot_id: str) -> str | None:
    index = boots.index(boot_id) if boot_id in boots else 0
    return boots[index - 1] if index else None


def parse_boots(text: str) -> list[str]:
    """Boot ids of `journalctl --list-boots`, as JSON or as text, in the order printed."""
    try:
        rows = json.loads(text)
        found = [str(row.get("boot_id", "")) for row in rows if isinstance(row, dict)]
    except (ValueError, TypeError, RecursionError):
        found = BOOT_ID.findall(text)
    return [boot for boot in map(dashed, dict.fromkeys(found)) if boot is not None]


def open_journal(machine: Machine) -> Journal:
    """The journal of a machine; raises MissingTool, PermissionError, TimeoutError, FileNotFoundError."""
    if machine.as_live:
        try:
            return JournalFiles(machine)
        except PermissionError as refused:
            journal = JournalFiles(machine, elevate=True)
            machine.forgive(refused)
            return journal
    exported = ExportedJournal(machine)
    if exported.boots and machine.origin == Origin.SIMULATED:
        return exported  # its journal files are there for their names
    folder = _journal_folder(machine)
    if folder is None:
        if not exported.boots:
            raise FileNotFoundError(2, "No journal files and no exported journal", ON_DISK)
        return exported
    try:
        return Both(JournalFiles(machine, folder), exported)
    except MissingTool:
        if not exported.boots:
            raise
        return exported


class Both:
    """Journal files, and an export for the boots that the files no longer hold."""

    def __init__(self, files: JournalFiles, exported: ExportedJournal) -> None:
        self._files, self._exported = files, exported
        listed = exported.boots
        newer = [boot for boot in files.boots if boot not in listed]
        self.boots = (listed + newer) if set(files.boots) & set(listed) or not files.boots else files.boots

    @property
    def complaints(self) -> list[str]:
        """What journalctl said of files that it could not read whole, and what is wrong with the export."""
        return self._files.complaints + self._exported.complaints

    def ending(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        return self._of(boot_id).ending(boot_id)

    def beginning(self, boot_id: str) -> Stretch:
        """As Journal has it."""
        return self._of(boot_id).beginning(boot_id)

    def before(self, boot_id: str) -> str | None:
        """As Journal has it; a boot that only the export holds is placed by the order of the lists."""
        of_files = self._files.before(boot_id) if boot_id in self._files.boots else None
        return of_files or _listed_before(self.boots, boot_id)

    def holds(self, boot_id: str) -> bool:
        """As Journal has it."""
        if boot_id not in self.boots and self._files.holds(boot_id):
            self.boots.append(boot_id)
        return boot_id in self.boots

    def _of(self, boot_id: str) -> Journal:
        return self._files if boot_id in self._files.boots else self._exported


def _journal_folder(machine: Machine) -> str | None:
    """Where the journal files of a tree lie here; None where it has none, or has links that could lead out of it."""
    for place in (ON_DISK, IN_MEMORY):
        paths = [f"{place}/{folder}" for folder in machine.names(place)]
        files = [f"{path}/{name}" for path in paths for name in machine.names(path) if ".journal" in name]
        if any(machine.link_target(path) is not None for path in (*paths, *files)):
            raise PermissionError(1, "A journal file of a tree is a symbolic link", place)
        if files:
            return machine.place(place)
    return None


def is_on_disk(machine: Machine) -> bool | None:
    """Whether the journal outlives a boot; None where that cannot be told."""
    try:
        if machine.names(ON_DISK):
            return True
        told = machine.as_live or machine.exists(IN_MEMORY)  # a tree lacks what was not collected
    except OSError:
        return None
    return False if told else None


def _listed(machine: Machine) -> list[str]:
    """Boots of the recorded listing, where there is one."""
    for name in ("list-boots.json", "list-boots.txt"):
        try:
            found = parse_boots(machine.read(f"/cmd/{name}", LIST_BYTES))
        except FileNotFoundError:
            continue
        if found:
            return found
    return []


def _export_index(name: str) -> int | None:
    match = re.fullmatch(r"journal(-?\d{1,6})\.json", name)
    return int(match[1]) if match else None


def _export_key(name: str) -> int:
    """Oldest first."""
    return _export_index(name) or 0
