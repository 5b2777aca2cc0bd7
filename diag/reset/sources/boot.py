"""The running boot: which kernel it is, and what it has armed so that its own end can be told.

On x86 a crash kernel has `elfcorehdr=` on its command line. On arm64 it has not: there the address is in the device
tree (arch/arm64/kernel/machine_kexec_file.c; kexec-tools does the same). On both, /proc/vmcore exists in a crash kernel
and in no other (fs/proc/vmcore.c), and kdump-tools has it start a unit of its own.
"""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import uptime
from diag.reset.evidence import Report, Seen, dashed
from diag.reset.parts import Parts
from diag.reset.scope import Scope
from diag.reset.words import Source

SECONDS = 3.0
ELEVATED: tuple[tuple[str, ...], ...] = ()
BOOT_ID = "/proc/sys/kernel/random/boot_id"
COMMAND_LINE, VMCORE = "/proc/cmdline", "/proc/vmcore"
PANIC, TAINTED = "/proc/sys/kernel/panic", "/proc/sys/kernel/tainted"
CRASH_LOADED = "/sys/kernel/kexec_crash_loaded"
MAX_BYTES = 64 * 1024
CRASH_MARKS = ("elfcorehdr=", "systemd.unit=kdump-tools-dump.service")
DOUBT = "reset_devices"  # every kdump passes it to its kernel, but not only they may
MAX_UPTIME, MAX_TIMEOUT, MAX_TAINT = 2.0**40, 2**31 - 1, 2**53 - 1
# Documentation/admin-guide/tainted-kernels.rst: the bits that tell of a fault, not of a kind of module.
FAULTS = {4: "machine check", 5: "bad page", 7: "oops", 9: "warning", 14: "soft lockup"}


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """What this boot is; facts `boot_id`, `uptime_s`, `panic_timeout_s`, `crash_kernel_loaded`, those that were read.

    Raises OSError or ValueError where nothing could be read.
    """
    parts = Parts(machine)
    boot_id = parts.of(lambda: _boot_id(machine))
    facts = {
        "boot_id": boot_id,
        "uptime_s": parts.of(lambda: _uptime(machine)),
        "panic_timeout_s": parts.of(lambda: _whole(machine, PANIC, -MAX_TIMEOUT - 1, MAX_TIMEOUT)),
        "crash_kernel_loaded": parts.of(lambda: _whole(machine, CRASH_LOADED, 0, 1) == 1),
    }
    seen = (parts.of(lambda: _command_line(machine, boot_id)) or ()) + (
        parts.of(lambda: _taint(machine, boot_id)) or ()
    )
    state, detail = parts.state()
    known = {key: value for key, value in facts.items() if value is not None}
    return Report(Source.BOOT, state, detail, seen=seen, facts=known)


def current_boot(machine: Machine) -> str | None:
    """The boot that runs, None where that is not told."""
    try:
        return _boot_id(machine)
    except (OSError, ValueError):
        return None


def _boot_id(machine: Machine) -> str:
    boot_id = dashed(machine.read(BOOT_ID, MAX_BYTES))
    if boot_id is None:
        raise ValueError(f"{BOOT_ID} holds no boot id")
    return boot_id


def _uptime(machine: Machine) -> float:
    seconds = uptime(machine)
    if not 0 <= seconds <= MAX_UPTIME:
        raise ValueError(f"an uptime of {seconds:g} s cannot be")
    return seconds


def _whole(machine: Machine, path: str, low: int, high: int) -> int:
    """A whole number from a file; raises ValueError for what is none, or not from `low` to `high`."""
    text = machine.read(path, MAX_BYTES)
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise ValueError(f"{path} holds no number from {low} to {high}")
    return number


def _command_line(machine: Machine, boot_id: str | None) -> tuple[Seen, ...]:
    """`command_line`, with `crash_kernel` for one that was started to save a dump; nothing where that is in doubt.

    What else is on the command line is not passed on: it may hold secrets.
    """
    words = machine.read(COMMAND_LINE, MAX_BYTES).split()
    if not words:
        raise ValueError(f"{COMMAND_LINE} is empty")
    marks = [mark for mark in CRASH_MARKS if any(word.startswith(mark) for word in words)]
    marks += [VMCORE] if machine.exists(VMCORE) else []
    if not marks and DOUBT in words:
        return ()
    value = "crash_kernel" if marks else "ordinary"
    told = f"a crash kernel: {', '.join(marks)}" if marks else f"no {' and no '.join((*CRASH_MARKS, VMCORE))}"
    kinds = ("command_line", "crash_kernel") if marks else ("command_line",)
    return tuple(Seen(Source.BOOT, kind, COMMAND_LINE, told, boot_id=boot_id, value=value) for kind in kinds)


def _taint(machine: Machine, boot_id: str | None) -> tuple[Seen, ...]:
    taint = _whole(machine, TAINTED, 0, MAX_TAINT)
    faults = ", ".join(name for bit, name in FAULTS.items() if taint >> bit & 1) or "no fault"
    told = f"taint {taint}: {faults} since this boot began"
    return (Seen(Source.BOOT, "tainted", TAINTED, told, boot_id=boot_id, value=str(taint)),) if taint else ()
