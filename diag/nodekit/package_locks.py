"""Who holds the locks of dpkg and APT (locks of fcntl(2) on files), and whether dpkg left work undone."""

from __future__ import annotations

import json

from diag.nodekit.acting import ActingMachine
from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

LOCKS = frozenset({"/var/lib/dpkg/lock", "/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock"})
LIST_LOCKS = ("/usr/bin/lslocks", "--json", "--notruncate", "--output=COMMAND,PID,PATH")
AUDIT = ("/usr/bin/dpkg", "--audit")


def lock_holder(machine: ActingMachine) -> str | None:
    """The command that holds a lock of dpkg or APT, with its process id; raises MissingTool, Unevaluated, ValueError.

    Without the rights of root the paths of others' locks cannot be seen, and none is found.
    """
    ran = machine.look(LIST_LOCKS)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"lslocks: {one_line(ran.stderr)[:200]}")
    try:
        rows = json.loads(ran.stdout or '{"locks": []}')["locks"]
        held = [f"{row['command']} ({row['pid']})" for row in rows if row["path"] in LOCKS]
    except (KeyError, TypeError) as error:
        raise ValueError("the answer of lslocks is no list of locks") from error
    return printable(held[0], 100) if held else None


def unfinished(machine: ActingMachine) -> str | None:
    """What dpkg says of packages that are not wholly installed; raises MissingTool, TimeoutError, Unevaluated."""
    ran = machine.look(AUDIT, seconds=10.0)
    if ran.exit_status not in (0, 1):
        raise Unevaluated(UnknownReason.PRECONDITION, f"dpkg --audit: {one_line(ran.stderr)[:200]}")
    return printable(one_line(ran.stdout), 300) or None
