"""Is the clock synchronised? As the kernel says it, through systemd."""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import MissingTool, Unevaluated
from diag.nodekit.vocabulary import UnknownReason

TIMEDATECTL = ("timedatectl", "show", "-p", "NTP", "-p", "NTPSynchronized")


def timedate_properties(machine: Machine) -> dict[str, str]:
    """The properties of `timedatectl show`; raises MissingTool, TimeoutError, Unevaluated when it failed."""
    ran = machine.run(TIMEDATECTL, seconds=3.0)
    if ran.exit_status != 0:
        words = f"timedatectl ended with {ran.exit_status}: {one_line(ran.stderr)}"
        raise Unevaluated(UnknownReason.PRECONDITION, words)
    return dict(line.split("=", 1) for line in ran.stdout.splitlines() if "=" in line)


def clock_synchronised(machine: Machine) -> bool | None:
    """True or False as the node says, None when it could not be asked."""
    try:
        answer = timedate_properties(machine).get("NTPSynchronized")
    except (MissingTool, Unevaluated, OSError, ValueError):
        return None
    return {"yes": True, "no": False}.get(answer or "")
