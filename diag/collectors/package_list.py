"""What is installed, in which version, and what is held back."""

from __future__ import annotations

from diag.nodekit.collector import KIB, MIB, Collector, Command, Volatility

FIELDS = "${db:Status-Abbrev} ${binary:Package} ${Version}\\n"

COLLECTOR = Collector(
    "Packages with versions and states, and what is broken",
    Volatility.STATE,
    (
        Command("packages.txt", ("dpkg-query", "--show", f"--showformat={FIELDS}"), limit=MIB),
        Command("broken.txt", ("dpkg", "--audit"), limit=64 * KIB),
    ),
)
