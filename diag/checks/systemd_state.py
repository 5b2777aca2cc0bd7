"""Has the system finished booting?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.proc_files import uptime
from diag.nodekit.systemd import SYSTEM_STATE, system_state
from diag.nodekit.vocabulary import Status

CHECK = Check(title="State of the system manager")
BOOTING = frozenset({"initializing", "starting"})
BOOT_SECONDS = 10 * 60  # a GB10 boots in one to two minutes; ten leave room for a file system check
WORDS = {
    "running": "The system runs",
    "degraded": "The system has booted, with failed units (see systemd.failed_units)",
    "maintenance": "The system is in rescue or emergency mode",
    "stopping": "The system is shutting down",
}
ACTIONS = {
    "maintenance": "Go to the console: read `journalctl -b -p err`, repair, then `systemctl default`",
    "stopping": "Wait for the reboot; if it does not come, see `systemctl list-jobs` on the console",
    "starting": "See what boot waits for with `systemctl list-jobs`; until it ends, users cannot log in",
}


@dataclass(frozen=True)
class State:
    """The word of systemd, and seconds since boot."""

    word: str
    uptime: float


def observe(machine: Machine) -> State:
    return State(system_state(machine), uptime(machine))


def evaluate(seen: State) -> Finding:
    minutes = seen.uptime / 60
    if seen.word in BOOTING:
        late = seen.uptime > BOOT_SECONDS
        status = Status.WARN if late else Status.PASS
        summary = f"The system is still booting, {minutes:.0f} min after power-on"
        action = ACTIONS["starting"] if late else None
    elif seen.word in WORDS:
        status = {"maintenance": Status.FAIL, "stopping": Status.WARN}.get(seen.word, Status.PASS)
        summary, action = WORDS[seen.word], ACTIONS.get(seen.word)
    else:
        raise ValueError(f"systemd names a state that is not known: {seen.word}")
    return Finding(
        status,
        summary,
        value=seen.word,
        locator=" ".join(SYSTEM_STATE),
        action=action,
        readings=(Reading("uptime", round(seen.uptime), "s"),),
    )
