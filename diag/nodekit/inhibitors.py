"""Who asked logind not to let the machine go down: org.freedesktop.login1(5), ListInhibitors."""

from __future__ import annotations

import json
from dataclasses import dataclass

from diag.nodekit.acting import ActingMachine
from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

LIST = (
    "/usr/bin/busctl", "--json=short", "call", "org.freedesktop.login1", "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager", "ListInhibitors",
)  # fmt: skip
BLOCKING = frozenset({"block", "block-weak"})


@dataclass(frozen=True)
class Inhibitor:
    """One lock: what it keeps off, who took it and why, in its own words."""

    what: str
    who: str
    why: str
    mode: str


def blocking_shutdown(machine: ActingMachine) -> list[Inhibitor]:
    """Those that keep off a shutdown; raises MissingTool, TimeoutError, Unevaluated, ValueError."""
    ran = machine.look(LIST)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"logind does not answer: {one_line(ran.stderr)[:200]}")
    try:
        rows = json.loads(ran.stdout)["data"][0]
        found = [Inhibitor(*(printable(str(word), 120) for word in row[:4])) for row in rows]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("the answer of logind is no list of inhibitors") from error
    return [one for one in found if one.mode in BLOCKING and "shutdown" in one.what.split(":")]
