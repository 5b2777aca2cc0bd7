"""The registers of every function. Some devices take a read of what they do not define badly, so: on request."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

COLLECTOR = Collector(
    "Configuration space of the PCI functions, byte by byte",
    Volatility.FIXED,
    (Command("registers.txt", ("/usr/bin/lspci", "-D", "-xxxx"), limit=512 * KIB, elevate=True),),
    opt_in=True,
)
