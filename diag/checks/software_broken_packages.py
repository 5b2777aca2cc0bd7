"""Is any package half installed? An update that broke off leaves a driver or a kernel that nothing repairs."""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.dpkg import STATUS, Packages, observe_packages
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.vocabulary import Status

CHECK = Check(title="Half-installed packages")
# dpkg(1), package states and flags.
BROKEN = frozenset({"half-installed", "half-configured", "unpacked"})
WAITING = frozenset({"triggers-awaited", "triggers-pending"})
REINSTALL = "reinstreq"

observe = observe_packages


def evaluate(seen: Packages) -> Finding:
    states = {package: state.split() for package, (state, _) in seen.other.items()}
    broken = sorted(package for package, words in states.items() if words[2] in BROKEN or words[1] == REINSTALL)
    waiting = sorted(package for package, words in states.items() if words[2] in WAITING and package not in broken)
    if not broken and not waiting:
        return Finding(
            Status.PASS,
            f"All of {len(seen.installed)} packages are wholly installed",
            value=0,
            unit="1",
            locator=STATUS,
        )
    worst = broken or waiting
    shown = ", ".join(f"{package} ({states[package][2]})" for package in worst[:5])
    return Finding(
        Status.FAIL if broken else Status.WARN,
        f"{len(broken)} packages are half installed and {len(waiting)} wait for triggers: {shown}",
        value=len(worst),
        unit="1",
        locator=STATUS,
        action="See whether an update runs just now (`pgrep -a dpkg`); else run `dpkg --configure -a` and "
        "`apt-get --fix-broken install`, and do not reboot before both end well",
        readings=tuple(Reading(package, " ".join(states[package]), locator=STATUS) for package in worst[:50]),
    )
