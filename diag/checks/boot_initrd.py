"""Will the next boot find its initial RAM disk? An update that broke off leaves a kernel without one."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.kernels import BOOT, INITRD_PREFIX, Kernels, kernels
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Initial RAM disk of the next kernel")


def observe(machine: Machine) -> Kernels:
    return kernels(machine)


def evaluate(seen: Kernels) -> Finding:
    if not seen.images:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{BOOT} lists no kernel")
    newest = seen.newest
    if newest is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"none of the kernels in {BOOT} is of the kind that runs")
    if not seen.initrds:
        raise NotApplicable(f"no kernel in {BOOT} uses an {INITRD_PREFIX} file")
    readings = tuple(Reading("initrd", release, locator=BOOT) for release in seen.initrds)
    if newest in seen.initrds:
        return Finding(
            Status.PASS, f"The next kernel, {newest}, has its initial RAM disk", value=newest, readings=readings
        )
    return Finding(
        Status.FAIL,
        f"{BOOT}/{INITRD_PREFIX}{newest} is missing: the next boot would not find its root file system",
        value=newest,
        locator=f"{BOOT}/{INITRD_PREFIX}{newest}",
        action=f"Do not reboot; run `update-initramfs -c -k {newest}` and `update-grub`, then check again",
        readings=readings,
    )
