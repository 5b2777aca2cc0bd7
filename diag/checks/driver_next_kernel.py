"""Will the GPU come back after a reboot? The newest installed kernel needs an NVIDIA module of its own."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.driver import InstalledDriver, observe_installed
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.kernels import BOOT, MODULES
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="NVIDIA module for the next boot")
observe = observe_installed


def evaluate(seen: InstalledDriver) -> Finding:
    release = seen.kernels.newest
    if release is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{BOOT} lists no kernel of the kind that runs")
    index = f"{MODULES}/{release}/modules.dep"
    readings = tuple(Reading("installed", one[:120], locator=BOOT) for one in seen.kernels.images[:50])
    if not seen.modules[release]:
        what = "no NVIDIA module" if seen.modules[release] is not None else "no module index"
        return Finding(
            Status.FAIL,
            f"The next kernel {release} has {what}: a reboot loses the GPU",
            value=release[:120],
            locator=index,
            action=f"Do not reboot; install the NVIDIA module package for {release}, or remove that kernel",
            readings=readings,
        )
    initrd = "" if release in seen.kernels.initrds else "; its initial RAM disk is missing, see boot.initrd"
    return Finding(
        Status.PASS,
        f"The next kernel {release} has {seen.modules[release]}{initrd}",
        value=release[:120],
        locator=index,
        readings=readings,
    )
