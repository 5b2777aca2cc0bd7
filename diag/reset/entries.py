"""Entries of the journal as `journalctl -o json` prints them, reduced to what rules look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from diag.reset.evidence import dashed

FIELDS = (
    "MESSAGE", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY", "UNIT", "_TRANSPORT", "_PID", "_UID",
    "_SYSTEMD_UNIT", "_EXE", "_SOURCE_MONOTONIC_TIMESTAMP", "KERNEL_USEC", "INITRD_USEC",
)  # fmt: skip
MAX_MESSAGE = 2000
MAX_NUMBER = 10**18  # microseconds: thirty thousand years
KERNEL, KERNEL_FACILITY = "kernel", "0"
INIT_PID = "1"


@dataclass(frozen=True)
class Entry:
    """One entry; times in microseconds. Fields that begin with `_` in the journal are journald's own word.

    `at_us` is since boot: for the kernel's own lines the kernel's time, for all others that of their arrival.
    `own_unit` and `program` are of the writer, by journald's own word; `unit` may be what it claims to speak of.
    `arrived_us` and `real_us` are when journald took it, by the clock since boot and by the clock of the day.
    """

    boot_id: str
    at_us: int
    arrived_us: int
    real_us: int
    sequence: int | None
    transport: str
    identifier: str
    facility: str
    pid: str
    uid: str
    unit: str
    message: str
    message_id: str
    user_space_us: int | None = None
    own_unit: str = ""
    program: str = ""

    @property
    def is_kernel(self) -> bool:
        """Whether the kernel itself said it, not a program that wrote to its log: it gives those another facility."""
        return self.transport == KERNEL and self.identifier == KERNEL and self.facility in ("", KERNEL_FACILITY)

    @property
    def is_init(self) -> bool:
        """Whether it is from the first process: to the journal, since whoever is root may write to the kernel's log."""
        return self.pid == INIT_PID and self.transport == "journal"

    @property
    def is_root(self) -> bool:
        """Whether journald saw the writer to be root."""
        return self.uid in ("0", "")

    @property
    def at_s(self) -> float:
        """Seconds since boot."""
        return self.at_us / 1e6


def parse_entries(text: str, until_s: float = MAX_NUMBER) -> list[Entry]:
    """Every line that is a whole entry, in the order printed; a line that is none (cut, foreign) is passed over.

    The first that arrived later than `until_s` seconds since boot is the last that is read.
    """
    entries = []
    for line in text.splitlines():
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        entry = _entry(fields) if isinstance(fields, dict) else None
        if entry is not None:
            entries.append(entry)
            if entry.arrived_us > until_s * 1e6:
                break
    return entries


def is_spoilt(text: str, entries: Sequence[Entry]) -> bool:
    """Whether an export has more lines than those whole entries that were parsed of it."""
    return len(entries) != sum(1 for line in text.splitlines() if line.strip())


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries by their number where they have one, else by their time since boot; each once."""
    unique = dict.fromkeys(entries)
    return sorted(unique, key=lambda entry: (entry.sequence if entry.sequence is not None else -1, entry.at_us))


def _entry(fields: dict[str, Any]) -> Entry | None:
    boot_id = dashed(_text(fields.get("_BOOT_ID")))
    arrived = _number(fields.get("__MONOTONIC_TIMESTAMP"))
    if boot_id is None or arrived is None:
        return None
    cursor = dict(part.partition("=")[::2] for part in _text(fields.get("__CURSOR")).split(";"))
    transport, identifier = _text(fields.get("_TRANSPORT")), _text(fields.get("SYSLOG_IDENTIFIER"))
    at_kernel = _number(fields.get("_SOURCE_MONOTONIC_TIMESTAMP")) if transport == KERNEL else None
    return Entry(
        boot_id=boot_id,
        at_us=arrived if at_kernel is None else at_kernel,
        arrived_us=arrived,
        real_us=_number(fields.get("__REALTIME_TIMESTAMP")) or 0,
        sequence=_number(cursor.get("i"), 16),
        transport=transport,
        identifier=identifier,
        facility=_text(fields.get("SYSLOG_FACILITY")),
        pid=_text(fields.get("_PID")),
        uid=_text(fields.get("_UID")),
        unit=_text(fields.get("UNIT")) or _text(fields.get("_SYSTEMD_UNIT")),
        message=_text(fields.get("MESSAGE"))[:MAX_MESSAGE],
        message_id=_text(fields.get("MESSAGE_ID")).lower(),
        user_space_us=_user_space(fields),
        own_unit=_text(fields.get("_SYSTEMD_UNIT")),
        program=_text(fields.get("_EXE")),
    )


def _text(value: Any) -> str:
    """A field: text, a list of bytes where it is not UTF-8, or a list of texts where it stands more than once."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        if all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return bytes(value).decode("utf-8", "replace")
        return _text(value[0]) if isinstance(value[0], str) else ""
    return ""


def _number(value: Any, base: int = 10) -> int | None:
    try:
        number = int(value, base) if isinstance(value, str) else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < MAX_NUMBER else None


def _user_space(fields: dict[str, Any]) -> int | None:
    """When user space began, as `Startup finished` has it: after the kernel and an initramfs that runs systemd."""
    kernel = _number(fields.get("KERNEL_USEC"))
    return None if kernel is None else kernel + (_number(fields.get("INITRD_USEC")) or 0)
