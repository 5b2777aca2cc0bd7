"""Who is signed in at a terminal: systemd-logind's own files in /run/systemd/sessions, one for each session."""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.printable import printable
from diag.nodekit.release import release_values

SESSIONS = "/run/systemd/sessions"
MAX_SESSIONS = 200


def people_at_terminals(machine: Machine) -> list[str]:
    """`USER on TTY` of each session that has a terminal and is not closing; raises OSError."""
    names = [name for name in machine.names(SESSIONS) if not name.endswith(".ref")][:MAX_SESSIONS]
    sessions = [release_values(machine.read_or_none(f"{SESSIONS}/{name}") or "") for name in names]
    return [
        printable(f"{session.get('USER', 'somebody')} on {session['TTY']}", 80)
        for session in sessions
        if session.get("TTY") and session.get("STATE") != "closing"
    ]
