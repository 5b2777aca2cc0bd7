"""Can somebody log in as root over SSH with a password?"""

from __future__ import annotations

from collections.abc import Mapping

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool, Unevaluated
from diag.nodekit.sshd import EFFECTIVE, SSHD_CONFIG, Policy, parse_effective, read_files
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Log-in of root with a password", elevated=(EFFECTIVE,))
ROOT = "permitrootlogin"
# What sshd_config(5) has where nothing is set.
DEFAULTS = {ROOT: "prohibit-password", "passwordauthentication": "yes", "kbdinteractiveauthentication": "yes"}


def observe(machine: Machine) -> Policy:
    try:
        ran = machine.run(EFFECTIVE, seconds=2.0, elevate=True)
        if ran.exit_status == 0:
            return parse_effective(ran.stdout)
    except (PermissionError, MissingTool, TimeoutError):
        pass  # the files tell as much, where they may be read
    return read_files(machine)


def evaluate(seen: Policy) -> Finding:
    unset = [name for name in DEFAULTS if name not in seen.settings]
    values = {name: str(seen.settings.get(name, default)) for name, default in DEFAULTS.items()}
    if seen.unreadable and unset and not _is_certain(seen.settings):
        raise Unevaluated(UnknownReason.NOT_PERMITTED, f"{seen.unreadable} needs root and may set {unset[0]}")
    readings = tuple(Reading(name, value, locator=SSHD_CONFIG) for name, value in values.items())
    passwords = "yes" in (values["passwordauthentication"], values["kbdinteractiveauthentication"])
    if values[ROOT] == "yes" and passwords:
        return Finding(
            Status.WARN,
            "root may log in over SSH with a password",
            value=True,
            locator=SSHD_CONFIG,
            action="Set PermitRootLogin prohibit-password (or no), test it with `sshd -t`, and reload ssh",
            readings=readings,
        )
    how = "not at all" if values[ROOT] == "no" else "with a key only"
    also = "; Match blocks may say otherwise for some connections" if seen.match_blocks else ""
    return Finding(
        Status.PASS, f"root may log in over SSH {how}{also}", value=False, locator=SSHD_CONFIG, readings=readings
    )


def _is_certain(settings: Mapping[str, object]) -> bool:
    """Whether what is set decides, whatever else may be set."""
    root = settings.get(ROOT)
    ways = [settings.get(name) for name in DEFAULTS if name != ROOT]
    return (root is not None and root != "yes") or (root == "yes" and "yes" in ways) or ways == ["no", "no"]
