"""Which messages mean what, as data: who must have said it, in which words, and in which part of a boot it counts.

The words are those of systemd 229 to 258, of Linux 4.9 to 7.0 and of the programs named beside them, as recorded logs
have them. Who said it is journald's word (the trusted fields of systemd.journal-fields(7)), not the line's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diag.reset.entries import Entry
from diag.reset.evidence import Seen, excerpt, last_of
from diag.reset.words import Antecedent, Source

UPS_UNITS = ("nut-", "nut.", "apcupsd.", "ups-monitor.")

Who = Callable[[Entry], bool]


def kernel(entry: Entry) -> bool:
    """The kernel itself."""
    return entry.is_kernel


def init(entry: Entry) -> bool:
    """The first process."""
    return entry.is_init


def last_init(entry: Entry) -> bool:
    """What the first process becomes at the very end of a shutdown; it can only write to the kernel's log."""
    return entry.transport == "kernel" and entry.identifier == "systemd-shutdown"


def logind(entry: Entry) -> bool:
    """The login manager, which takes requests to shut down."""
    return entry.identifier == "systemd-logind" and entry.is_root and entry.transport != "kernel"


def journald(entry: Entry) -> bool:
    """The journal itself."""
    return entry.identifier == "systemd-journald" and entry.is_root and entry.transport != "kernel"


def journald_or_kmsg(entry: Entry) -> bool:
    """The journal itself, be it through the kernel's log, to which it turns early and late in a boot."""
    return journald(entry) or (entry.transport == "kernel" and entry.identifier == "systemd-journald")


def root_fsck(entry: Entry) -> bool:
    """The check of the root file system."""
    return entry.identifier == "systemd-fsck" and "fsck-root" in entry.unit and entry.is_root


def sudo(entry: Entry) -> bool:
    """The sudo command, which journald sees as root or under the user who called it; no user can forge its file."""
    return entry.identifier == "sudo" and entry.transport != "kernel" and (entry.is_root or _is_sudo(entry.program))


def _is_sudo(program: str) -> bool:
    return program.startswith(("/usr/bin/sudo", "/usr/lib/cargo/bin/sudo"))


def root(entry: Entry) -> bool:
    """A program of root's."""
    return entry.is_root and entry.transport != "kernel"


def ups_daemon(entry: Entry) -> bool:
    """What watches a UPS: root, or the user of its own under whom NUT runs in its units."""
    return root(entry) or entry.own_unit.startswith(UPS_UNITS)


@dataclass(frozen=True)
class Meaning:
    """A kind of thing seen, from messages by `who` that match; the group `value`, where there is one, is its value."""

    kind: str
    who: Who
    pattern: re.Pattern[str]
    message_id: str | None = None

    def match(self, entry: Entry) -> re.Match[str] | None:
        """The match of an entry that means this."""
        if not self.who(entry):
            return None
        if self.message_id is not None and entry.message_id and entry.message_id != self.message_id:
            return None
        return self.pattern.search(entry.message)


def _meaning(kind: str, who: Who, pattern: str, message_id: str | None = None) -> Meaning:
    return Meaning(kind, who, re.compile(pattern), message_id)


LOGIND_SHUTDOWN = "98268866d1d54a499c4e98921d93bc40"  # SD_MESSAGE_SHUTDOWN
JOURNAL_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"  # SD_MESSAGE_JOURNAL_STOP
_REGISTER = r"^x86/amd: Previous system reset reason \[0x[0-9a-f]+\]: (?P<value>{})"
_HOT = r"^thermal thermal_zone\d+: (?:[\w.-]+: )?critical temperature reached(?: \(\d+ C\))?"
_REACHED = r"^Reached target (?:{unit}\.target|{old})(?: - .*)?\.?$"

ENDING: tuple[Meaning, ...] = (
    _meaning(
        "logind_verb",
        logind,
        r"^System is (?P<value>rebooting with kexec|rebooting|powering down|halting)|^System userspace is rebooting",
        LOGIND_SHUTDOWN,
    ),
    _meaning("verb_reboot", logind, r"^System is rebooting\b", LOGIND_SHUTDOWN),
    _meaning("verb_poweroff", logind, r"^System is powering down\b", LOGIND_SHUTDOWN),
    _meaning("logind_request", logind, r"^The system will (?P<value>[a-z -]+) now!"),
    _meaning("power_key", logind, r"^(?P<value>Power|Reboot) key pressed"),
    _meaning("other_key", logind, r"^(?P<value>Suspend|Hibernate|Lid|Sleep) (?:key pressed|closed)"),
    _meaning("ctrl_alt_del", init, r"Ctrl-Alt-Del was pressed"),
    _meaning(
        "targets_stopped", init, r"^Stopped target (?:multi-user|graphical|basic)\.target|^Stopped target Multi-User"
    ),
    _meaning(
        "final_target",
        init,
        r"^Reached target (?P<value>shutdown|umount|final)\.target"
        r"|^Reached target (?:Shutdown|System Shutdown|Final Step|Unmount All Filesystems)\b",
    ),
    _meaning("target_reboot", init, _REACHED.format(unit="reboot", old="Reboot|System Reboot")),
    _meaning("target_poweroff", init, _REACHED.format(unit="poweroff", old="Power-Off|System Power Off")),
    _meaning("target_halt", init, _REACHED.format(unit="halt", old="Halt|System Halt")),
    _meaning("target_halt", init, r"^Starting systemd-halt\.service"),  # nothing is logged after it
    _meaning("kexec_tools", root, r"Will now restart with kexec"),
    _meaning("target_kexec", init, _REACHED.format(unit="kexec", old="Kexec|Reboot via kexec")),
    _meaning("soft_reboot", init, r"^Reached target soft-reboot\.target|^Soft-rebooting"),
    _meaning("init_ends", init, r"^Shutting down\.$"),
    _meaning(
        "last_init",
        last_init,
        r"^(?:Syncing filesystems|Sending SIG(?:TERM|KILL) to remaining|Unmounting file systems|All filesystems unm)",
    ),
    _meaning("journald_sigterm", journald_or_kmsg, r"^Received SIGTERM from PID 1 \(systemd-shutdow"),
    _meaning("journal_stopped", journald, r"^Journal stopped", JOURNAL_STOPPED),
    _meaning("kernel_ends", kernel, r"^reboot: (?P<value>Restarting system|Power down|System halted)"),
    _meaning(
        "sysrq", kernel, r"^sysrq: (?:SysRq : )?(?P<value>Emergency Sync|Emergency Remount R/O|Resetting|Trigger a)"
    ),
    _meaning("read_only", kernel, r"Remounting filesystem read-only|^sysrq: (?:SysRq : )?Emergency Remount R/O"),
    _meaning("kernel_panic", kernel, r"^(?:---\[ end )?Kernel panic - not syncing: (?P<value>.{1,100})"),
    # Both are printed on the way into a panic, by functions that do not return (arch/arm64/kernel/traps.c, sysrq.c).
    _meaning("fatal_words", kernel, r"^(?P<value>SError Interrupt on CPU\d+), code 0x"),
    _meaning("fatal_words", kernel, r"^sysrq: (?:SysRq : )?(?P<value>Trigger a crash)$"),
    _meaning("hibernating", kernel, r"^PM: hibernation: (?:hibernation entry|Creating image)|^PM: hibernation entry"),
    _meaning("suspended", kernel, r"^PM: suspend entry"),
    _meaning("resumed", kernel, r"^PM: suspend exit"),
    _meaning(
        "thermal_critical",
        kernel,
        _HOT
        + r"(?:, shutting down)?$|^reboot: HARDWARE PROTECTION (?:shutdown|reboot) \((?P<value>Temperature too high)",
    ),
    _meaning(
        "operator_command", sudo, r"^\s*(?P<value>\S{1,64}) : .*COMMAND=\S*/(?:reboot|shutdown|poweroff|halt|telinit)\b"
    ),
    _meaning(
        "operator_command",
        sudo,
        r"^\s*(?P<value>\S{1,64}) : .*COMMAND=\S*/systemctl (?:--\S+ )*(?:reboot|poweroff|halt|kexec|soft-reboot)\b",
    ),
    _meaning(
        "ups",
        ups_daemon,
        r"UPS .{0,60}(?:on battery|battery is low|set FSD)|automatic power-fail shutdown|Initiating system shutdown"
        r"|Auto logout and shutdown proceeding",
    ),
)
"""What the end of a boot can hold that bears on how it ended."""

CAUSES: tuple[Meaning, ...] = (
    _meaning("key_poweroff", logind, r"^Powering [Oo]ff\.\.\.$"),
    _meaning("key_reboot", logind, r"^Rebooting\.\.\.$"),
    # kernel/reboot.c and drivers/thermal/thermal_core.c: older kernels only ever power off, newer ones say which it is.
    _meaning("heat_poweroff", kernel, _HOT + r", shutting down$|^reboot: HARDWARE PROTECTION shutdown \(Temp"),
    _meaning("heat_reboot", kernel, r"^reboot: HARDWARE PROTECTION reboot \(Temp"),
)
"""What announces a shutdown of one kind: it counts only before the first step of that."""

BEGINNING: tuple[Meaning, ...] = (
    _meaning(
        "journal_unclean", journald_or_kmsg, r"^File \S*/system\.journal corrupted or uncleanly shut down, renaming"
    ),
    _meaning("root_recovered", kernel, r"^EXT4-fs \([^)]+\): (?:INFO: )?recovery required on readonly filesystem"),
    _meaning("root_recovered", root_fsck, r"recovering journal"),
    _meaning(
        "root_errors", kernel, r"^EXT4-fs \([^)]+\): (?:warning: mounting fs with errors|error count since last fsck)"
    ),
    _meaning("root_errors", root_fsck, r"contains a file system with errors"),
    _meaning("root_clean", root_fsck, r": clean, "),
    _meaning("hibernate_image", kernel, r"^PM: (?:hibernation: )?(?:resume from hibernation|Image signature found)"),
    _meaning("reset_by_watchdog", kernel, _REGISTER.format(r"hardware watchdog timer expired")),
    _meaning("reset_by_software", kernel, _REGISTER.format(r"software wrote 0x6 to reset control register 0xCF9")),
    _meaning("reset_by_error", kernel, _REGISTER.format(r"an uncorrected error caused a data fabric sync flood event")),
    _meaning("command_line", kernel, r"^(?:Kernel c|C)ommand line: "),
    _meaning(
        "crash_kernel", kernel, r"^(?:Kernel c|C)ommand line: .*(?:\belfcorehdr=|kdump-tools-dump|\breset_devices\b)"
    ),
    _meaning("watchdog_armed", init, r"^Watchdog running with a hardware timeout of (?P<value>[0-9a-z ]{1,20})\."),
    _meaning(
        "firmware_error_record", kernel, r"^BERT: (?:Error records from previous boot|\[Hardware Error\]: Skipped)"
    ),
    _meaning("started", init, r"^Startup finished in "),
)
"""What the beginning of a boot can hold that bears on how the one before ended, or on what this one has armed."""

ALARMS: tuple[Meaning, ...] = (
    _meaning(Antecedent.OOPS, kernel, r"^(?:Internal error: |BUG: (?!soft)|Oops: |Unable to handle kernel )"),
    _meaning(Antecedent.SERROR, kernel, r"^SError Interrupt on CPU"),
    _meaning(Antecedent.OOM_KILL, kernel, r"^(?:Memory cgroup o|O)ut of memory: Kill"),
    _meaning(Antecedent.GPU_NO_MEMORY, kernel, r"NV_ERR_NO_MEMORY"),
    _meaning(Antecedent.XID, kernel, r"^NVRM: Xid (?:\([^)]*\): )?(?P<value>\d+)"),
    _meaning(Antecedent.GPU_LOST, kernel, r"fallen off the bus|: device lost from bus"),
    _meaning(Antecedent.THROTTLED, kernel, r"temperature above threshold, cpu clock throttled"),
    _meaning(Antecedent.HUNG_TASK, kernel, r"^INFO: task .{1,60} blocked for more than"),
    _meaning(Antecedent.SOFT_LOCKUP, kernel, r"soft lockup - CPU#"),
    _meaning(Antecedent.HARD_LOCKUP, kernel, r"hard LOCKUP"),
    _meaning(Antecedent.RCU_STALL, kernel, r"^rcu: .*(?:detected stalls|self-detected stall|kthread starved)"),
    _meaning(Antecedent.NVME_RESET, kernel, r"^nvme \w+: (?:controller is down|I/O .*timeout|Device not ready)"),
    _meaning(Antecedent.IO_ERROR, kernel, r"I/O error,? (?:dev|on device)|critical medium error"),
    _meaning(
        Antecedent.FILE_SYSTEM_ERROR, kernel, r"^EXT4-fs error|^Aborting journal|^JBD2: (?:Error|recovery failed)"
    ),
    _meaning(Antecedent.PCIE_ERROR, kernel, r"AER: .*Uncorrect|PCIe Bus Error: severity=Uncorrect"),
    _meaning(Antecedent.SMMU_STALL, kernel, r"CMD_SYNC timeout"),
    _meaning(
        Antecedent.HARDWARE_ERROR,
        kernel,
        r"^(?:mce: )?\[Hardware Error\]:\s+(?:event severity: fatal|System Fatal|CPU)",
    ),
    _meaning(Antecedent.UNDERVOLTAGE, kernel, r"^Under-?voltage detected"),
    _meaning(Antecedent.STOP_TIMEOUT, init, r"State 'stop-sigterm' timed out|stopping timed out|Stopping timed out"),
)
"""What may have come before an end. It founds no claim."""


def seen_in(entries: Iterable[Entry], meanings: tuple[Meaning, ...], locator: str) -> tuple[Seen, ...]:
    """What these entries hold of these kinds: one of each, the last, with how many there were."""
    return last_of(found for entry in entries for found in _seen(entry, meanings, locator))


def _seen(entry: Entry, meanings: tuple[Meaning, ...], locator: str) -> Iterable[Seen]:
    for meaning in meanings:
        match = meaning.match(entry)
        if match is not None:
            value = match.groupdict().get("value")
            said = f"{entry.identifier}: {entry.message}"
            yield Seen(
                source=Source.JOURNAL,
                kind=meaning.kind,
                locator=locator,
                excerpt=excerpt(said),
                boot_id=entry.boot_id,
                at_s=entry.at_s,
                value=excerpt(value)[:100] if value else None,
            )
