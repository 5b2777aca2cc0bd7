"""Restart the node in good order, and see that it came back as another boot."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.bootloader import GRUB_ENVIRONMENT, grub_settings, next_kernel
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.inhibitors import blocking_shutdown
from diag.nodekit.kernels import OSRELEASE, kernels
from diag.nodekit.package_locks import lock_holder, unfinished
from diag.nodekit.parameters import KERNEL, Text
from diag.nodekit.release import release_values

RUNNING = "/proc/sys/kernel/random/boot_id"


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Nobody keeps off a shutdown, no package is half installed, and the kernel that is wanted comes next."""
    inhibitors = blocking_shutdown(machine)
    if inhibitors:
        first = inhibitors[0]
        seen: Seen = {"who": first.who, "what": first.what, "why": first.why, "mode": first.mode}
        words = f"{first.who} keeps off {first.what}: {first.why}"
        raise Refused("inhibited", words, seen | {"inhibitors": len(inhibitors)})
    holder = lock_holder(machine)
    if holder:
        raise Refused("dpkg_locked", f"{holder} holds the lock of dpkg", {"holder": holder})
    undone = unfinished(machine)
    if undone:
        raise Refused("dpkg_unfinished", f"packages are not wholly installed: {undone}")
    return ready("it may go down", **_kernels(machine, asked))


def _kernels(machine: ActingMachine, asked: Asked) -> Seen:
    found = kernels(machine)
    environment = release_values(machine.read_or_none(GRUB_ENVIRONMENT) or "")
    coming, why = next_kernel(found, grub_settings(machine), environment)
    wanted = asked.given["kernel"]
    seen: Seen = {"kernel": found.running, "kernel_next": coming, "kernel_next_by": why}
    if wanted is not None and wanted not in found.images:
        raise Refused("kernel_absent", f"the kernel {wanted} is not installed", seen)
    if wanted is not None and coming is not None and coming != wanted:
        raise Refused("other_kernel_next", f"the next boot takes {coming}, not {wanted}", seen)
    return seen


def argv(asked: Asked) -> Argv:  # noqa: ARG001 - the same for all
    """The one command."""
    return ("/usr/bin/systemctl", "reboot")


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """Another boot runs, of the kernel that was wanted."""
    boot_id, running = machine.read(RUNNING), machine.read(OSRELEASE)
    seen: Seen = {"boot_id": boot_id, "kernel": running}
    if boot_id == asked.boot_id:
        return lacks("same_boot", "the boot that runs is still the one before", **seen)
    wanted = asked.given["kernel"]
    if wanted is not None and running != wanted:
        return lacks("other_kernel", f"it came back with the kernel {running}, not {wanted}", **seen)
    return holds(f"it came back with the kernel {running}", **seen)


CONTROLLER = Controller(
    "Restart the node",
    {"kernel": Text("the kernel that it must come back with, as `uname -r` prints it", KERNEL, required=False)},
    precheck,
    argv,
    postcheck,
    longest_s=120,
    no_undo="a reboot cannot be taken back",
    settles=False,
)
