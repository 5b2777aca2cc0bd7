"""wtmp: a record for every boot and for every shutdown that came so far, in the order of writing.

Layout of glibc's struct utmp: 384 bytes where time stays at 32 bits (x86-64), 400 bytes on arm64. What `last -x -F`
printed is read where there is no file.
"""

from __future__ import annotations

import calendar
import re
import struct
import time

from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable
from diag.reset.evidence import Report
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = 4.0
ELEVATED: tuple[tuple[str, ...], ...] = ()
FILE, OLDER = "/var/log/wtmp", "/var/log/wtmp.1"
RECORDED = "/cmd/last-x-F.txt"
MAX_BYTES = 384 * 400 * 100  # whole records of either layout, the newest; what is left out is older
MOST_RECORDS = 300
BOOT, SHUTDOWN, OTHER = "boot", "shutdown", "other"
EMPTY, RUN_LEVEL, BOOT_TIME, MOST_TYPE = 0, 1, 2, 9
LAYOUTS = ((384, 340, "<ii"), (400, 344, "<qq"))  # size of a record, offset of its time, seconds and microseconds
USER = slice(44, 76)
Record = tuple[str, "float | None"]
LINE = re.compile(r"^(reboot|shutdown)\s+system (?:boot|down)\s+\S+\s+(\w{3} \w{3} [ \d]\d \d\d:\d\d(?::\d\d \d{4})?)")


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """The records, oldest first: `facts["records"]` holds [kind, seconds or None].

    A running machine without the file keeps none (that is how newer distributions have it): proven absent.
    """
    try:
        content, dropped = machine.read_newest(FILE, MAX_BYTES)
        records = _older(machine) + parse_wtmp(content) if not dropped else parse_wtmp(content)
        locator = FILE
    except FileNotFoundError:
        if machine.as_live:
            raise NotApplicable(f"this machine keeps no {FILE}") from None
        records = parse_last(machine.read(RECORDED, MAX_BYTES))
        locator = RECORDED
    facts = {"records": _thinned(records)[-MOST_RECORDS:], "locator": locator}
    return Report(Source.WTMP, SourceState.READ, facts=facts)


def _older(machine: Machine) -> list[Record]:
    """What logrotate put aside last, where it is there and sound."""
    try:
        return parse_wtmp(machine.read_bytes(OLDER, MAX_BYTES))
    except (OSError, ValueError):
        return []


def _thinned(records: list[Record]) -> list[Record]:
    """Boots and shutdowns, and of all else in a row the first and the last: they only show that wtmp was written."""
    kinds = [kind for kind, _ in records]
    return [
        record
        for index, record in enumerate(records)
        if record[0] != OTHER or kinds[index - 1 : index] != [OTHER] or kinds[index + 1 : index + 2] != [OTHER]
    ]


def parse_wtmp(content: bytes) -> list[Record]:
    """The records, oldest first; one that is cut at the end is none. Raises ValueError."""
    for size, offset, form in LAYOUTS:
        records = [content[at : at + size] for at in range(0, len(content) - size + 1, size)]
        if records and all(_is_record(record, offset, form) for record in records):
            return [found for record in records if (found := _record(record, offset, form)) is not None]
    raise ValueError(f"{FILE} holds no records that glibc would write")


def _is_record(record: bytes, offset: int, form: str) -> bool:
    kind = struct.unpack_from("<h", record)[0]
    seconds, microseconds = struct.unpack_from(form, record, offset)
    return bool(0 <= kind <= MOST_TYPE and 0 <= seconds < 2**33 and 0 <= microseconds < 10**6)


def _record(record: bytes, offset: int, form: str) -> Record | None:
    kind = struct.unpack_from("<h", record)[0]
    user = record[USER].split(b"\0", 1)[0]
    seconds, microseconds = struct.unpack_from(form, record, offset)
    when = seconds + microseconds / 1e6
    if kind == BOOT_TIME and user == b"reboot":
        return BOOT, when
    if kind == RUN_LEVEL and user == b"shutdown":
        return SHUTDOWN, when
    return None if kind == EMPTY else (OTHER, when)


def parse_last(text: str) -> list[Record]:
    """The same from what `last -x` printed, which is newest first; without `-F` there is no year, so no time."""
    lines = filter(None, map(LINE.match, text.splitlines()))
    found = [(BOOT if match[1] == "reboot" else SHUTDOWN, _time(match[2])) for match in lines]
    if not found:
        raise ValueError("last prints neither boots nor shutdowns")
    found.reverse()
    return found


def _time(words: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(words, "%a %b %d %H:%M:%S %Y")))
    except (ValueError, OverflowError):
        return None
