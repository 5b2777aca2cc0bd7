"""The record that a kernel leaves in firmware memory, as efi_pstore splits it and systemd-pstore 255 archives it.

The name ends in the time of writing, two digits for the part and three for the count (drivers/firmware/efi/
efi-pstore.c). systemd-pstore makes a folder of the time and one of the count below it (src/pstore/pstore.c), so a dump
that was written across two seconds lies in two folders.
"""

from collections.abc import Iterator

from sparkctl.lab.reset_journal import SECOND, Lived, Said
from sparkctl.lab.reset_story import KERNEL

LIVE, ARCHIVE = "/sys/fs/pstore", "/var/lib/systemd/pstore"
PART_BYTES, MOST_PARTS, PARTS_A_SECOND = 1_750, 7, 4
DAEMON = 3 << 3  # syslog(3): the facility of what is not the kernel


def parts(lived: Lived) -> list[tuple[str, str]]:
    """Path and text of each part of the record of a boot, the newest lines first; none where it left none."""
    dump = lived.boot.dump
    if dump is None:
        return []
    lines = [_printed(said) for said in lived.kernel if said.at <= dump.until * SECOND]
    moment, found = int(lived.clock(dump.until)), []
    for number, text in enumerate(_split(lines), 1):
        stamp = moment + (number - 1) // PARTS_A_SECOND
        name = f"dmesg-efi_pstore-{stamp}{number:02}001"
        found.append((f"{ARCHIVE}/{stamp}/001/{name}", f"{dump.reason}#1 Part{number}\n{text}"))
    return found


def _split(lines: list[str]) -> Iterator[str]:
    """Texts as long as one variable of the firmware takes, from the end of the log backwards; the rest is lost."""
    pending = list(lines)
    for _ in range(MOST_PARTS):
        part: list[str] = []
        while pending and sum(map(len, part)) + len(pending[-1]) <= PART_BYTES:
            part.insert(0, pending.pop())
        if not part:
            return
        yield "".join(part)


def _printed(said: Said) -> str:
    line, (seconds, microseconds) = said.line, divmod(said.at, SECOND)
    own = line.writer == KERNEL
    words = line.message if own else f"{line.writer.identifier}[{line.writer.pid or 1}]: {line.message}"
    return f"<{line.level + (0 if own else DAEMON)}>[{seconds:5}.{microseconds:06}] {words}\n"
