"""Rooted trees for the tests of the reset reason: machines of our own with a known past, and those of the corpus.

A machine is a list of names of `ENDS`, oldest first: how each of its boots ended. One more boot runs.
"""

import json
import os
import shutil
import struct
import tarfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard
from _pytest.mark import ParameterSet

from tests.support.corpus import VARIABLE, corpus_folder

Row = dict[str, str]
MACHINE_ID = "5a" * 16
SEQUENCE_ID = "c0ffee" * 5 + "00"
FIRST_START, APART_S, RUN_S = 1_790_000_000, 7200, 3600  # when the first boot began, how far apart, how long each ran
CLEAN, RECOVERED = "root: clean, 100/200 files, 300/400 blocks", "root: recovering journal"
SMART = {"critical_warning": 0, "percent_used": 1, "unsafe_shutdowns": 3, "power_cycles": 9}


def kernel(message: str) -> Row:
    return {"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": message}


def init(message: str) -> Row:
    return {"_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": "systemd", "_PID": "1", "_UID": "0", "MESSAGE": message}


def program(name: str, message: str, pid: str = "700", **more: str) -> Row:
    return {
        "_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": name, "_PID": pid, "_UID": "0", "_COMM": name[:15],
        "MESSAGE": message, **more,
    }  # fmt: skip


def journald(message: str) -> Row:
    return {**program("systemd-journald", message, "200"), "_TRANSPORT": "driver"}


KEY = program("systemd-logind", "Power key pressed short.")
ACTS = program("systemd-logind", "Powering off...")
VERB = {"reboot": "System is rebooting.", "poweroff": "System is powering down."}
CLOSED = (journald("Received SIGTERM from PID 1 (systemd-shutdow)."), journald("Journal stopped"))
LAST_INIT = {**kernel("Syncing filesystems and block devices."), "SYSLOG_IDENTIFIER": "systemd-shutdown"}
UNCLEAN = journald(f"File /var/log/journal/{MACHINE_ID}/system.journal corrupted or uncleanly shut down, renaming.")
REPLAYED = kernel("EXT4-fs (nvme0n1p2): recovery required on readonly filesystem")
FSCK = {**program("systemd-fsck", CLEAN), "_SYSTEMD_UNIT": "systemd-fsck-root.service"}
REGISTER = kernel("x86/amd: Previous system reset reason [0x02000800]: hardware watchdog timer expired")
HEAT = kernel("thermal thermal_zone0: acpitz: critical temperature reached, shutting down")
BERT = kernel("BERT: Error records from previous boot:")


def begun(verb: str = "reboot") -> tuple[Row, ...]:
    """A shutdown that has begun."""
    return (program("systemd-logind", VERB[verb]), init("Stopped target multi-user.target - Multi-User System."))


def orderly(verb: str = "reboot") -> tuple[Row, ...]:
    """A shutdown from the request to the end of the journal."""
    reached = (init(f"Reached target {name}.target - A target.") for name in ("umount", "shutdown", "final", verb))
    return (*begun(verb), *reached, init("Shutting down."), LAST_INIT, *CLOSED)


@dataclass(frozen=True)
class End:
    """How a boot ends.

    `last` is what its journal has of it, `found` what that of the next boot says, `fsck` what the next initramfs logs,
    `shutdown` whether wtmp has one entered, `record` the words of a panic in pstore; `claims` what is to be claimed,
    None where more than one answer would do.
    """

    last: tuple[Row, ...]
    claims: tuple[str, str, str] | None
    found: tuple[Row, ...] = (FSCK,)
    fsck: str = CLEAN
    shutdown: bool = True
    record: str | None = None


CUT_OFF: dict[str, Any] = {"found": (REPLAYED, UNCLEAN), "fsck": f"{RECOVERED}\n{CLEAN}", "shutdown": False}
NOTHING = ("any", "any", "any")
ENDS = {
    "reboot": End(orderly(), ("orderly.reboot", "platform_reset", "os")),
    "power_key": End((KEY, ACTS, *orderly("poweroff")), ("orderly.poweroff", "platform_reset", "human_physical")),
    "heat": End((HEAT, *orderly("poweroff")), ("orderly.poweroff", "platform_reset", "os.kernel_policy.thermal")),
    "silent": End((), ("disorderly", "any", "any"), **CUT_OFF),
    "bitten": End(
        (), ("disorderly", "platform_reset", "hardware.watchdog"), **{**CUT_OFF, "found": (REGISTER, UNCLEAN)}
    ),
    "forced": End((init("Shutting down."), LAST_INIT, *CLOSED), ("disorderly.forced", "any", "os"), shutdown=False),
    "panic": End((), ("disorderly.panic", "platform_reset", "any"), record="sysrq triggered crash", **CUT_OFF),
    # A shutdown that begins and does not come to its end.
    "stuck": End(begun(), ("disorderly", "any", "any"), **CUT_OFF),
    "stuck_entered": End(begun(), ("disorderly", "any", "any"), **{**CUT_OFF, "shutdown": True}),
    # Only wtmp has the shutdown: the journal lost its last half minute.
    "unwritten": End((), NOTHING, **{**CUT_OFF, "shutdown": True}),
    # The records of a shutdown are whole, and yet the initramfs found the root file system in need of recovery.
    "not_unmounted": End(orderly(), ("any", "any", "any"), found=(), fsck=f"{RECOVERED}\n{CLEAN}"),
    "panic_at_the_end": End(orderly(), None, record="Attempted to kill init"),
}


@dataclass(frozen=True)
class Boot:
    """One boot of a machine: `rows` are its entries as journalctl prints them, `start` is in seconds of the day."""

    boot_id: str
    start: float
    rows: tuple[Row, ...]
    end: End | None


def boot_ids(count: int, name: str = "spark") -> list[str]:
    return [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{number}.{name}")) for number in range(count)]


def boots_of(ends: Sequence[str], name: str = "spark") -> list[Boot]:
    """The boots of a machine, oldest first; the last one runs."""
    boots: list[Boot] = []
    sequence, found = 1, ENDS["reboot"].found
    for number, boot_id in enumerate(boot_ids(len(ends) + 1, name)):
        end = ENDS[ends[number]] if number < len(ends) else None
        start = FIRST_START + number * APART_S
        timed = _timed(found, end, boot_id)
        rows = tuple(_entry(row, boot_id, start, at_us, sequence + offset) for offset, (at_us, row) in enumerate(timed))
        boots.append(Boot(boot_id, start, rows, end))
        sequence += len(rows)
        found = end.found if end else ()
    return boots


def user_space_us(boot_id: str) -> int:
    """When user space began, in microseconds: two to six seconds after the kernel. systemd enters that time in wtmp."""
    return 2_000_000 + uuid.UUID(boot_id).int % 4_000_037


def _timed(found: Sequence[Row], end: End | None, boot_id: str) -> Iterator[tuple[int, Row]]:
    """The entries of a boot with their time in microseconds, which no two boots share."""
    jitter, kernel_us = uuid.UUID(boot_id).int % 9973, user_space_us(boot_id)
    words = f"Startup finished in {kernel_us / 1e6:.3f}s (kernel) + 11.000s (userspace) = {kernel_us / 1e6 + 11:.3f}s."
    started = {**init(words), "KERNEL_USEC": str(kernel_us), "USERSPACE_USEC": "11000000"}
    yield 1, kernel("Linux version 6.17.0-1014-nvidia (buildd@bos03) #14-Ubuntu SMP")
    yield 2, kernel("Command line: BOOT_IMAGE=/boot/vmlinuz root=/dev/nvme0n1p2 ro")
    for number in range(20):
        yield 1_000_003 + number * 50_021 + jitter, kernel(f"probe {number}: device {number % 4} is up")
    early = (journald("Journal started"), *found, started)
    for number, row in enumerate(early):
        yield 9_000_000 + number * 1_000_000 + jitter, row
    for number in range(30):
        row = kernel(f"eth0: link is up, try {number}") if number % 3 == 0 else program("cron", f"job {number}", "900")
        yield 60_000_000 + number * 100_000_019 + jitter, row
    for number, row in enumerate(end.last if end else ()):
        yield RUN_S * 1_000_000 + number * 300_007 + jitter, row


def _entry(row: Row, boot_id: str, start: float, at_us: int, sequence: int) -> Row:
    arrived = at_us + 1_500_000 if at_us < 9_000_000 else at_us + 11  # journald starts after the kernel has
    stamp = {"_SOURCE_MONOTONIC_TIMESTAMP": str(at_us)} if row["_TRANSPORT"] == "kernel" else {}
    plain = boot_id.replace("-", "")
    return {
        **row, **stamp, "_BOOT_ID": plain, "__MONOTONIC_TIMESTAMP": str(arrived),
        "__REALTIME_TIMESTAMP": str(int(start * 1e6) + arrived),
        "__CURSOR": f"s={SEQUENCE_ID};i={sequence:x};b={plain};m={arrived:x};t=0;x=0",
    }  # fmt: skip


def build_machine(root: Path, ends: Sequence[str], *, name: str = "spark", wide: bool = False) -> Path:
    """The tree of a machine after its boots ended so; `wide` lays out wtmp as arm64 does."""
    boots = boots_of(ends, name)
    last = boots[-2].end if len(boots) > 1 else None
    files: dict[str, str | bytes] = {
        "proc/sys/kernel/random/boot_id": f"{boots[-1].boot_id}\n",
        "proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz root=/dev/nvme0n1p2 ro\n",
        "proc/mounts": "/dev/nvme0n1p2 / ext4 rw,relatime 0 0\n",
        "proc/uptime": "100.00 1000.00\n",
        "proc/sys/kernel/panic": "10\n",
        "proc/sys/kernel/tainted": "0\n",
        "sys/kernel/kexec_crash_loaded": "0\n",
        "sys/module/pstore/parameters/backend": "efi_pstore\n",
        "sys/class/watchdog/watchdog0/identity": "SBSA Generic Watchdog\n",
        "sys/class/watchdog/watchdog0/state": "active\n",
        "sys/class/watchdog/watchdog0/bootstatus": "0\n",
        "sys/class/watchdog/watchdog0/timeout": "60\n",
        "cmd/initramfs-fsck.log": f"Log of fsck -C -a -V -t ext4 /dev/nvme0n1p2\n\n{last.fsck if last else CLEAN}\n",
        "cmd/nvme-smart-log.json": json.dumps(SMART),
        "cmd/list-boots.json": json.dumps([_listed(boot, place - len(boots) + 1) for place, boot in enumerate(boots)]),
        "var/log/apt/history.log": "Start-Date: 2026-10-01  08:00:00\nCommandline: apt upgrade\nEnd-Date: 2026-10-01\n",
        "var/log/wtmp": wtmp_of(boots, wide=wide),
    }
    for place, boot in enumerate(boots):
        text = "".join(f"{json.dumps(row)}\n" for row in boot.rows)
        files[f"cmd/journal{'-' if boot.end else ''}{len(boots) - 1 - place}.json"] = text
        files |= {f"var/lib/systemd/pstore/{path}": text for path, text in pstore_of(boot).items()}
    for folder in ("sys/fs/pstore", "var/lib/systemd/pstore", "var/crash"):
        (root / folder).mkdir(parents=True)
    for path, content in files.items():
        write(root / path, content)
    return root


def write(path: Path, content: str | bytes) -> None:
    """Put a file in place of whatever is there, never into it: it may be shared with another tree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _listed(boot: Boot, index: int) -> dict[str, object]:
    first, last = (int(boot.rows[place]["__REALTIME_TIMESTAMP"]) for place in (0, -1))
    return {"index": index, "boot_id": boot.boot_id.replace("-", ""), "first_entry": first, "last_entry": last}


NARROW, WIDE = struct.Struct("<h2xi32s4s32s256shhiii16x20x"), struct.Struct("<h2xi32s4s32s256shhqqq16x20x4x")


def record(kind: int, user: str, when: float, *, wide: bool = False) -> bytes:
    """One record of wtmp, as glibc has it on x86-64, or `wide` on arm64."""
    seconds, rest = divmod(int(when * 1e6), 10**6)
    host = b"6.17.0-1014-nvidia"
    return (WIDE if wide else NARROW).pack(kind, 0, b"~", b"~~", user.encode(), host, 0, 0, 0, seconds, rest)


def wtmp_of(boots: Sequence[Boot], *, wide: bool = False) -> bytes:
    """A record for every boot, for a login in it, and for its shutdown where there was one."""
    records = []
    for boot in boots:
        late = user_space_us(boot.boot_id) / 1e6
        records += [(2, "reboot", boot.start + late), (7, "operator", boot.start + 300 + late)]
        if boot.end and boot.end.shutdown:
            records.append((1, "shutdown", boot.start + RUN_S + late))
    return b"".join(record(*one, wide=wide) for one in records)


def pstore_of(boot: Boot) -> dict[str, str]:
    """The archive of the panic of a boot, in parts of few lines each, the newest lines in the first part."""
    if boot.end is None or boot.end.record is None:
        return {}
    said = [
        (int(row["_SOURCE_MONOTONIC_TIMESTAMP"]), row["MESSAGE"]) for row in boot.rows if row["MESSAGE"][:4] == "eth0"
    ]
    last = RUN_S * 1_000_000 + uuid.UUID(boot.boot_id).int % 20_000_003
    said += [(last, f"Kernel panic - not syncing: {boot.end.record}"), (last + 77, "CPU: 3 PID: 4242 Comm: bash")]
    lines = [f"<4>[{at // 10**6:5}.{at % 10**6:06}] {message}" for at, message in said]
    stamp = int(boot.start) + last // 10**6 + 1
    parts = [lines[-4:], lines[-8:-4], lines[:-8]]
    return {
        f"{stamp}/dmesg-efi-{stamp}{number:02}001": "\n".join([f"Panic#1 Part{number}", *part, ""])
        for number, part in enumerate(parts, 1)
    }


def corpus_names() -> list[str]:
    """The cases of the corpus that is named, none without one."""
    folder = Path(os.environ.get(VARIABLE, "/nonexistent")) / "reset-vm"
    return sorted(path.name.removesuffix(".tar.zst") for path in folder.glob("*.tar.zst"))


def machine_of(name: str) -> tuple[str, ...]:
    """Cases of one machine share the beginning of their names: they are moments of one history."""
    return tuple(name.split("-")[:2])


def corpus_names_by_machine() -> list[ParameterSet]:
    """The cases, of which the gate takes one of each machine."""
    names = corpus_names()
    firsts = {machine_of(name): name for name in reversed(names)}.values()
    return [pytest.param(name, marks=[] if name in firsts else pytest.mark.thorough) for name in names]


def corpus_tree(name: str, folder: Path) -> Path:
    """The root of a case, unpacked below `folder` once."""
    packed = corpus_folder("reset-vm", "nothing is held against machines that were really reset") / f"{name}.tar.zst"
    case = folder / name
    if not case.exists():
        with (
            packed.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            archive.extractall(folder, filter="tar")
    return case / "root"


def copy_of(root: Path, target: Path) -> Path:
    """A tree that shares its files with another; see `write`."""
    shutil.copytree(root, target, copy_function=os.link, symlinks=True)
    return target


def take_away(root: Path, pattern: str) -> None:
    """Remove files or folders from a tree, where they are there."""
    for place in list(root.glob(pattern)):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
