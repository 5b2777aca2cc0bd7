"""Is the loaded driver the open flavour? The proprietary one cannot start the GPU of a GB10."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.driver import OPEN_FLAVOUR, PROPRIETARY_FLAVOUR, LoadedDriver, observe_loaded
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.nvidia_smi import KERNEL_MODULE
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Flavour of the NVIDIA driver")
NEEDED = Threshold(
    Comparison.NOT_EQUAL,
    fail="open",
    provenance="NVIDIA: Blackwell GPUs need the open kernel modules; the other flavour logs Xid 169 on a GB10",
)
observe = observe_loaded


def evaluate(seen: LoadedDriver) -> Finding:
    if seen.version_text is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"there is no {KERNEL_MODULE}; see driver.loaded")
    first = seen.version_text.partition("\n")[0]
    if PROPRIETARY_FLAVOUR not in first:
        raise ValueError(f"{KERNEL_MODULE} begins with {first[:120]!r}")
    flavour = "open" if OPEN_FLAVOUR in first else "proprietary"
    return judged(
        NEEDED,
        flavour,
        f"The {flavour} flavour of the driver is loaded, {seen.version or 'of unknown version'}",
        locator=KERNEL_MODULE,
        action="Install the open kernel modules (packages with -open in their name) in place of these, and reboot",
    )
