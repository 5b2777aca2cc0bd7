"""Let the next boot take one exact kernel, and the one after it whatever GRUB takes by itself."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.bootloader import GRUB_ENVIRONMENT
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.grub_menu import entry_of
from diag.nodekit.kernels import kernels
from diag.nodekit.parameters import KERNEL, Text
from diag.nodekit.release import release_values


def _seen(machine: ActingMachine, asked: Asked) -> Seen:
    """What is there for the kernel, and what the environment of GRUB says of the next boot."""
    environment = release_values(machine.read_or_none(GRUB_ENVIRONMENT) or "")
    entry = entry_of(machine, asked.given["kernel"])
    return {"entry": entry, "next_entry": environment.get("next_entry") or None}


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """The kernel, its initial RAM disk and its entry are there, and GRUB has a place to note the choice."""
    wanted, found, seen = asked.given["kernel"], kernels(machine), _seen(machine, asked)
    if wanted not in found.images or wanted not in found.modules:
        raise Refused("kernel_absent", f"the kernel {wanted} is not installed", seen)
    if wanted not in found.initrds:
        raise Refused("initrd_absent", f"the kernel {wanted} has no initial RAM disk", seen)
    if seen["entry"] is None:
        raise Refused("entry_absent", f"the menu of GRUB has no entry for {wanted}", seen)
    if not machine.exists(GRUB_ENVIRONMENT):
        raise Refused("no_environment", f"there is no {GRUB_ENVIRONMENT}", seen)
    if seen["next_entry"] == seen["entry"]:
        return holds(f"the next boot takes {wanted}", **seen)
    return ready(f"the next boot can take {wanted}", **seen)


def argv(asked: Asked) -> Argv:
    """The command, with the id of the entry that the precheck found."""
    return ("/usr/sbin/grub-reboot", str(asked.before.get("entry")))


def undo(asked: Asked) -> Argv:  # noqa: ARG001 - the same for all
    """Forget the choice."""
    return ("/usr/bin/grub-editenv", GRUB_ENVIRONMENT, "unset", "next_entry")


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """GRUB's environment names the entry of this kernel."""
    seen = _seen(machine, asked)
    if seen["entry"] is None or seen["next_entry"] != seen["entry"]:
        return lacks("other_entry", f"the next boot takes {seen['next_entry'] or 'what GRUB takes by itself'}", **seen)
    return holds(f"the next boot takes {asked.given['kernel']}", **seen)


CONTROLLER = Controller(
    "Let the next boot take one exact kernel",
    {"kernel": Text("the kernel, as `uname -r` prints it", KERNEL)},
    precheck,
    argv,
    postcheck,
    longest_s=60,
    undo=undo,
)
