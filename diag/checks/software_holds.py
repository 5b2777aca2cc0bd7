"""Is the kernel or the driver held back? A hold keeps security updates and the driver that fits a new kernel away."""

from __future__ import annotations

import re

from diag.nodekit.check import Check
from diag.nodekit.dpkg import STATUS, Packages, observe_packages
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Held kernel and driver packages")
# The driver of DGX OS is prebuilt for each kernel: one held without the other ends in a node without a GPU.
CRITICAL = re.compile(
    r"linux-(?:image|headers|modules|generic|nvidia|firmware).*|(?:lib)?nvidia-(?:driver|dkms|kernel|utils|compute|fs).*"
    r"|cuda-drivers.*"
)
HELD = Threshold(
    Comparison.AT_LEAST,
    warn=1,
    provenance="dpkg(1), state hold: no update is installed; DGX OS ships the driver prebuilt for each kernel",
)

observe = observe_packages


def evaluate(seen: Packages) -> Finding:
    critical = sorted(package for package in seen.held if CRITICAL.fullmatch(package))
    others = len(seen.held) - len(critical)
    shown = f": {', '.join(critical[:5])}" if critical else ""
    return judged(
        HELD,
        len(critical),
        f"{len(critical)} packages of kernel and driver are held{shown}; {others} others",
        action="Ask who held them and why; when that is over, run `apt-mark unhold` for kernel and driver together",
        unit="1",
        locator=STATUS,
        readings=tuple(Reading("held", package, locator=STATUS) for package in sorted(seen.held)[:50]),
    )
