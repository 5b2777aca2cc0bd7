"""Every thread, and the kernel's stack of each task: where one in state D hangs.

Threads are shown by name only: whoever reads the command line of a process that hangs may hang as well.
"""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

STACKS = (
    "/usr/bin/find", "/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "stack", "-exec", "/usr/bin/tail", "-v",
    "-n", "+1", "{}", "+",
)  # fmt: skip

COLLECTOR = Collector(
    "Threads with states, and what every task does in the kernel",
    Volatility.MOMENT,
    (
        Command("threads.txt", ("ps", "-eLww", "-o", "pid,tid,stat,psr,pcpu,wchan:32,comm"), limit=512 * KIB),
        Command("kernel_stacks.txt", STACKS, limit=512 * KIB, elevate=True),
    ),
)
