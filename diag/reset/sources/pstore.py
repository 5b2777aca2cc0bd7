"""pstore: what the kernel wrote when it could not go on, in firmware memory or archived by systemd-pstore.

A record is bound to a boot by its lines: kernel messages with the same microsecond and the same words as in that
boot's journal. Names and file times are clocks of the day; they only tell which files are parts of one record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.reset.evidence import Report, Seen, excerpt, fingerprint
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = 5.0
BACKEND = "/sys/module/pstore/parameters/backend"
LIVE, ARCHIVE = "/sys/fs/pstore", "/var/lib/systemd/pstore"
# One exact command for however many records there are; a point matches any line that is not empty.
READ_ALL = ("/usr/bin/grep", "-r", "-a", "-H", ".", LIVE, ARCHIVE)
ELEVATED = (READ_ALL,)
ARCHIVE_DEPTH = 2  # systemd-pstore: a folder by the second, since version 255 with one for each count in it
MOST_FILES, FILE_BYTES, ALL_BYTES, MOST_RECORDS = 300, 64 * 1024, 4 * 1024 * 1024, 24
BACKEND_NAME = re.compile(r"[a-z0-9_-]{1,60}|\(null\)")
NAME = re.compile(r"dmesg-([a-z_]+)-(\d{1,20})")
HEADER = re.compile(r"^(Panic|Oops|Emergency|Restart|Shutdown|Halt|Poweroff)#(\d+) Part(\d+)$")
LINE = re.compile(r"^(?:<\d{1,3}>)?\[ *(\d{1,10})\.(\d{6})\](?:\[ *[TC]\d+\])? (.*)$")
PANIC = re.compile(r"Kernel panic - not syncing: (.{1,100})")
SAME_RECORD_S = 60  # a dump of many parts takes seconds to write; two panics are a boot apart
MOST_BINDS = 400


@dataclass(frozen=True)
class Part:
    """One file: `stamp` is the second in its name where the backend puts one there."""

    path: str
    backend: str
    stamp: int | None
    reason: str
    count: str
    number: int
    text: str


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """The records, newest first by name, each with what binds it; raises OSError where there is nothing to read."""
    parts, cut = _parts(machine)
    records = list(_records(parts))
    state = SourceState.PARTIAL if cut or len(records) > MOST_RECORDS else SourceState.READ
    if not parts:
        state = SourceState.ABSENT
    facts = {"pstore_backend": backend(machine)}
    many = f"more than {MOST_RECORDS} records: the oldest were left out" if len(records) > MOST_RECORDS else None
    detail = f"more than {MOST_FILES} files: the oldest were not read" if cut else many
    return Report(
        Source.PSTORE, state, detail, seen=tuple(_seen(record) for record in records[:MOST_RECORDS]), facts=facts
    )


def backend(machine: Machine) -> str | None:
    """The name of what keeps the records, None where it is not there or no name."""
    text = (machine.read_or_none(BACKEND) or "").strip()
    return text if BACKEND_NAME.fullmatch(text) else None


def _parts(machine: Machine) -> tuple[list[Part], bool]:
    try:
        paths = sorted(_paths(machine), key=lambda path: path.rpartition("/")[2], reverse=True)
        texts = [(path, machine.read(path, FILE_BYTES)) for path in paths[:MOST_FILES]]
        cut = len(paths) > MOST_FILES
    except PermissionError as refused:
        ran = machine.run(READ_ALL, limit=ALL_BYTES, elevate=True)
        machine.forgive(refused)
        texts, cut = list(_grepped(ran.stdout).items())[:MOST_FILES], ran.truncated
    return [part for path, text in texts if (part := parse_part(path, text)) is not None], cut


def _paths(machine: Machine) -> Iterator[str]:
    found = False
    for folder in (LIVE, ARCHIVE):
        if not machine.exists(folder):
            continue
        found = True
        yield from _records_in(machine, folder, ARCHIVE_DEPTH if folder == ARCHIVE else 0)
    if not found:
        raise FileNotFoundError(2, "No such folder", LIVE)


def _records_in(machine: Machine, folder: str, depth: int) -> Iterator[str]:
    for name in machine.names(folder):
        path = f"{folder}/{name}"
        if NAME.match(name):
            yield path
        elif depth and name.isdigit():
            yield from _records_in(machine, path, depth - 1)


def _grepped(text: str) -> dict[str, str]:
    """The files of which `grep -r` printed the lines, each behind its path."""
    files: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, colon, rest = line.partition(":")
        if colon and path.startswith((f"{LIVE}/", f"{ARCHIVE}/")) and NAME.match(path.rpartition("/")[2]):
            files.setdefault(path, []).append(rest)
    return {path: "\n".join(lines) for path, lines in files.items()}


def parse_part(path: str, text: str) -> Part | None:
    """A file as a part of a record, None for what is none (compressed, other kinds, garbage)."""
    name = NAME.match(path.rpartition("/")[2])
    lines = text.splitlines()
    if name is None or not any(LINE.match(line) for line in lines):
        return None
    header = HEADER.match(lines[0].strip())
    digits = name[2]
    has_stamp = name[1].startswith("efi") and len(digits) > 5  # seconds, two digits of part, three of count
    return Part(
        path=path,
        backend=name[1],
        stamp=int(digits[:-5]) if has_stamp else None,
        reason=header[1] if header else "",
        count=header[2] if header else "",
        number=int(header[3]) if header and len(header[3]) < 6 else 1,
        text=text,
    )


def _records(parts: list[Part]) -> Iterator[list[Part]]:
    """Parts of one dump together, oldest lines first: same cause and count, written within a minute of each other."""
    open_groups: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: (part.stamp or 0, part.path), reverse=True):
        for group in open_groups:
            if _belongs(part, group):
                group.append(part)
                break
        else:
            open_groups.append([part])
    for group in open_groups:
        yield sorted(group, key=lambda part: -part.number)


def _belongs(part: Part, group: list[Part]) -> bool:
    other = group[-1]
    if part.stamp is None or other.stamp is None or part.number in (one.number for one in group):
        return False
    same = (part.backend, part.reason, part.count) == (other.backend, other.reason, other.count)
    return same and abs(part.stamp - other.stamp) <= SAME_RECORD_S


def _seen(record: list[Part]) -> Seen:
    text = "\n".join(part.text for part in record)
    lines = [match for match in map(LINE.match, text.splitlines()) if match is not None]
    # Only at the beginning of a message: a dump of a shutdown may quote the words of a program.
    panic = next((found for match in lines if (found := PANIC.match(match[3])) is not None), None)
    reason = record[0].reason or ("Panic" if panic else "")
    kind = {"Panic": "panic_record", "Oops": "oops_record"}.get(reason, "kernel_record")
    last = max((int(match[1]) + int(match[2]) / 1e6 for match in lines), default=None)
    return Seen(
        source=Source.PSTORE,
        kind=kind,
        locator=record[-1].path,
        excerpt=excerpt(panic[0] if panic else lines[-1][3] if lines else ""),
        at_s=last,
        value=excerpt(panic[1])[:100] if panic else reason.lower() or None,
        count=len(record),
        binds=binding_lines(text),
    )


def binding_lines(text: str) -> tuple[str, ...]:
    """Fingerprints of the kernel's lines in a text.

    A time that is a whole millisecond comes from a coarse clock: the next boot may print the same words in the same
    tick, so that such a line binds nothing.
    """
    found = []
    for match in filter(None, map(LINE.match, text.splitlines())):
        at_us = int(match[1]) * 1_000_000 + int(match[2])
        if at_us % 1000:
            found.append(fingerprint(at_us, match[3]))
    return tuple(dict.fromkeys(found))[-MOST_BINDS:]
