"""Firmware by part, what was done to it, and how the last attempt went."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Volatility

OFFLINE = ("--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check")
COLLECTOR = Collector(
    "fwupd's devices and history, and the firmware's own table (ESRT)",
    Volatility.FIXED,
    (
        Command("devices.json", ("fwupdmgr", "get-devices", *OFFLINE), 8.0, 512 * KIB, Kind.JSON),
        Command("history.json", ("fwupdmgr", "get-history", *OFFLINE), 5.0, 256 * KIB, Kind.JSON, nothing=(2, 9)),
        Command(
            "esrt.txt", ("/usr/bin/grep", "-r", ".", "/sys/firmware/efi/esrt/entries"), limit=64 * KIB, elevate=True
        ),
    ),
)
