"""May an update reboot the node by itself? A job of days does not survive that, nor does a pair of nodes."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.apt_conf import CONF_FOLDER, automatic_updates
from diag.nodekit.check import Check
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Reboots by automatic updates")
PROGRAM = "/usr/bin/unattended-upgrade"
BESIDE = "/usr/bin/apt-get"  # where this is and the other is not, the other is not installed
YES = frozenset({"yes", "true", "with", "on", "enable", "1"})  # apt.conf(5)
OFF = frozenset({"", "0", "no", "false"})


@dataclass(frozen=True)
class Updates:
    """Whether upgrades are installed by themselves, and whether a reboot may follow."""

    automatic: bool
    reboot: bool


def observe(machine: Machine) -> Updates:
    if not machine.exists(PROGRAM):
        if machine.exists(BESIDE):
            raise NotApplicable("unattended-upgrades is not installed")
        raise Unevaluated(UnknownReason.PRECONDITION, f"there is neither {PROGRAM} nor {BESIDE}")
    found = automatic_updates(machine) or {}
    periodic = found.get("periodic", {})
    automatic = periodic.get("enable", "1") not in OFF and periodic.get("unattended-upgrade", "0") not in OFF
    return Updates(automatic, (found.get("automatic_reboot") or "").lower() in YES)


def evaluate(seen: Updates) -> Finding:
    """Unattended-Upgrade::Automatic-Reboot is off as Ubuntu ships it."""
    if seen.automatic and seen.reboot:
        return Finding(
            Status.WARN,
            "Automatic updates may reboot this node whatever runs on it",
            value=True,
            locator=CONF_FOLDER,
            action='Set Unattended-Upgrade::Automatic-Reboot "false"; in /etc/apt/apt.conf.d/ and reboot in a window',
        )
    how = "are installed, without a reboot" if seen.automatic else "are switched off"
    return Finding(Status.PASS, f"Automatic updates {how}", value=False, locator=CONF_FOLDER)
