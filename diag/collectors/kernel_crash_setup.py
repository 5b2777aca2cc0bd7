"""Whether a panic of this kernel would leave anything behind."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

PANIC = tuple(
    f"sys/kernel/{name}" for name in ("panic*", "hung_task*", "softlockup*", "hardlockup*", "watchdog*", "sysrq")
)
COLLECTOR = Collector(
    "Crash kernel, kdump, and on what the kernel panics",
    Volatility.BOOT,
    (
        Values("crash_kernel.txt", "/sys/kernel", ("kexec_*",)),
        Values("panic.txt", "/proc", PANIC),
        File("kdump.conf", "/etc/default/kdump-tools", limit=16 * KIB),
        Values("pstore.txt", "/sys/module/pstore/parameters", ("*",)),
    ),
)
