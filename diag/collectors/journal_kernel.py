"""What the kernel said in earlier boots, newest first."""

from __future__ import annotations

from diag.nodekit.collector import MIB, Collector, Command, Kind, Volatility

KERNEL = {
    boot: ("/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json", "--dmesg", f"--boot={boot}", "--reverse")
    for boot in (-1, -2)
}

COLLECTOR = Collector(
    "Kernel messages of the two boots before",
    Volatility.LOGS,
    tuple(
        Command(f"kernel{boot}.json", KERNEL[boot], 8.0, MIB, Kind.JOURNAL, elevate=True, plain=True, nothing=(1,))
        for boot in KERNEL
    ),
)
