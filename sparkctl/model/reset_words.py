"""The closed words of a reset reason; `diag/reset/words.py` is generated from this file.

The members of an axis are the leaves of its tree, as dotted paths from its root; the branches are the paths above them.
A claim is one of these paths, leaf or branch, or `any` where nothing is entailed.
"""

from enum import StrEnum


class Axis(StrEnum):
    """What is claimed of the end of a boot, each on its own evidence."""

    TERMINATION = "termination"
    RESET_DOMAIN = "reset_domain"
    INITIATOR = "initiator"


class Termination(StrEnum):
    """How the system ended, as it could have seen it itself: by its own shutdown, or not."""

    REBOOT = "orderly.reboot"
    POWEROFF = "orderly.poweroff"
    HALT = "orderly.halt"
    KEXEC = "orderly.kexec"
    FORCED = "disorderly.forced"  # software reset it without stopping the services
    PANIC_REBOOT = "disorderly.panic.panic_reboot"  # and the kernel restarted by itself
    PANIC_KDUMP = "disorderly.panic.panic_kdump"  # by way of a crash kernel
    PANIC_HANG = "disorderly.panic.panic_hang"  # and stood there until something else reset it
    HANG = "disorderly.hang"  # it did nothing more for a time before it was reset
    SILENT = "disorderly.silent"  # it ran, and in the next moment it did not


class ResetDomain(StrEnum):
    """How far the reset reached into the machine."""

    POWER_KEPT = "platform_reset.power_kept"
    POWER_LOST_BRIEF = "platform_reset.power_lost.brief"
    POWER_LOST_SUSTAINED = "platform_reset.power_lost.sustained"
    KEXEC = "no_platform_reset.kexec"


class Initiator(StrEnum):
    """Who or what set it off."""

    OPERATOR = "os.operator"
    SERVICE = "os.service"
    POLICY_PANIC = "os.kernel_policy.panic"
    POLICY_THERMAL = "os.kernel_policy.thermal"
    WATCHDOG = "hardware.watchdog"
    THERMAL_TRIP = "hardware.thermal_trip"
    HARDWARE_ERROR = "hardware.error"
    FIRMWARE = "firmware.update"
    MAINS = "supply.mains"
    ADAPTER = "supply.adapter"
    POWER_BUTTON = "human_physical.power_button"
    RESET_BUTTON = "human_physical.reset_button"
    UNPLUGGED = "human_physical.unplugged"


ANY = "any"
"""The claim of an axis of which nothing is entailed."""


class Strength(StrEnum):
    """How well a claim is founded: not at all, by one witness that can err, by a record, by independent records."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


class Source(StrEnum):
    """Kinds of evidence; one file in `diag/reset/sources/` reads each."""

    JOURNAL = "journal"
    WTMP = "wtmp"
    PSTORE = "pstore"
    KDUMP = "kdump"
    WATCHDOG = "watchdog"
    FIRMWARE = "firmware"
    NVME = "nvme"
    BOOT = "boot"
    FILE_SYSTEM = "file_system"
    PACKAGES = "packages"
    TPM = "tpm"


class SourceState(StrEnum):
    """Whether a kind of evidence was read: whole, in part, proven absent, or not (with a reason)."""

    READ = "read"
    PARTIAL = "partial"
    ABSENT = "absent"
    UNREAD = "unread"


class Antecedent(StrEnum):
    """What was seen before the end. It came before; that it led there is not said."""

    PANIC = "panic"
    OOPS = "oops"
    SERROR = "serror"
    OOM_KILL = "oom_kill"
    GPU_NO_MEMORY = "gpu_no_memory"
    XID = "xid"
    GPU_LOST = "gpu_lost"
    THERMAL_CRITICAL = "thermal_critical"
    THROTTLED = "throttled"
    HUNG_TASK = "hung_task"
    SOFT_LOCKUP = "soft_lockup"
    HARD_LOCKUP = "hard_lockup"
    RCU_STALL = "rcu_stall"
    NVME_RESET = "nvme_reset"
    IO_ERROR = "io_error"
    FILE_SYSTEM_ERROR = "file_system_error"
    PCIE_ERROR = "pcie_error"
    SMMU_STALL = "smmu_stall"
    HARDWARE_ERROR = "hardware_error"
    FIRMWARE_ERROR_RECORD = "firmware_error_record"
    WATCHDOG_ARMED = "watchdog_armed"
    WATCHDOG_FIRED = "watchdog_fired"
    UNDERVOLTAGE = "undervoltage"
    ON_BATTERY = "on_battery"
    POWER_KEY = "power_key"
    SYSRQ = "sysrq"
    STOP_TIMEOUT = "stop_timeout"
    PACKAGE_CHANGE = "package_change"
    FIRMWARE_UPDATE = "firmware_update"
    OPERATOR_COMMAND = "operator_command"
    CHANGE_RECORD = "change_record"
    CRASH_DUMP = "crash_dump"
    UNBOUND_RECORD = "unbound_record"


class UnknownCause(StrEnum):
    """Why an axis, or a leaf of it, could not be told."""

    NO_PREVIOUS_BOOT = "no_previous_boot"
    JOURNAL_MISSING = "journal_missing"
    JOURNAL_VOLATILE = "journal_volatile"
    JOURNAL_NOT_PERMITTED = "journal_not_permitted"
    JOURNAL_UNREADABLE = "journal_unreadable"
    JOURNAL_LOST_BOOT = "journal_lost_boot"
    BOOTS_MISSED = "boots_missed"
    WTMP_MISSING = "wtmp_missing"
    WTMP_UNREADABLE = "wtmp_unreadable"
    WTMP_NOT_BOUND = "wtmp_not_bound"
    PSTORE_MISSING = "pstore_missing"
    PSTORE_UNREADABLE = "pstore_unreadable"
    EVIDENCE_CONFLICTS = "evidence_conflicts"
    INDISTINGUISHABLE = "indistinguishable"
    REQUESTER_NOT_LOGGED = "requester_not_logged"
    NO_WITNESS = "no_witness"
    NOT_COLLECTED = "not_collected"
    SOURCE_FAILED = "source_failed"
