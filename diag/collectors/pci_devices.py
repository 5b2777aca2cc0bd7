"""The functions on the bus with their capabilities; only root sees all of them."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "PCI functions, in words",
    Volatility.FIXED,
    (
        Command("list.txt", ("lspci",), limit=32 * KIB),
        Command("tree.txt", ("lspci", "-t", "-v"), limit=32 * KIB),
        Command("capabilities.txt", ("/usr/bin/lspci", "-D", "-nn", "-vvv"), limit=256 * KIB, elevate=True, plain=True),
    ),
)
