"""The parts that stories are made of: boots that ended in order or were cut off, and the past of an ordinary node."""

from dataclasses import replace
from typing import Any

from sparkctl.lab.node_model import NodeModel, acted_boot
from sparkctl.lab.reset_lines import ADMIN, INIT, STARTED, orderly
from sparkctl.lab.reset_story import Boot, Line, Note, Past

HOUR, DAY = 3600.0, 86_400.0
STOPPED_AFTER, TOLD_WTMP = 4.4, 2.2
"""Seconds from a request to shut down to the end of the boot, and to its entry in wtmp."""
HISTORY = "/var/log/apt/history.log"
Lines = tuple[Line, ...]


def ended(name: str, at: float, verb: str = "reboot", *, after: Lines = (), words: str = "", **more: Any) -> Boot:
    """A boot that was shut down in good order `at` seconds after it began; `after` is what came before that.

    `words` are what `shutdown` was given for the users, `more` what else is said of the boot.
    """
    lines = (*after, *orderly(at, verb, words))
    return Boot(name, lines, lasted=at + STOPPED_AFTER, shutdown=at + TOLD_WTMP, **more)


def cut_off(name: str, lasted: float, lines: Lines, **more: Any) -> Boot:
    """A boot that ended with its journal open and its root file system in use."""
    return Boot(name, lines, lasted=lasted, **{"closed": False, "clean": False, **more})


def upgraded(boot: str, at: float, command: str, who: str = "") -> tuple[Note, ...]:
    """A run of apt that took two minutes."""
    begun = f"\nStart-Date: %Y-%m-%d  %H:%M:%S\nCommandline: {command}\n{who}Upgrade: linux-base:arm64 (simulated)\n"
    return (Note(HISTORY, boot, at, begun), Note(HISTORY, boot, at + 122, "End-Date: %Y-%m-%d  %H:%M:%S\n"))


def past(node: NodeModel, *boots: Boot, running: Lines = (), notes: tuple[Note, ...] = (), **more: Any) -> Past:
    """These boots, oldest first, after an ordinary one and before the running one, which says `running` besides."""
    first = ended("first", 12 * DAY + node.jitter("first", 80_000))
    notes = (*upgraded("first", 2 * HOUR, "apt-get dist-upgrade", f"Requested-By: {ADMIN} (1000)\n"), *notes)
    return Past((first, *boots, Boot("running", running, lasted=node.uptime)), notes=notes, **more)


def restarted(node: NodeModel, found: Past) -> Past:
    """The same past with the boots behind it that acts ended in good order, and the one that runs since."""
    if not node.ended:
        return found
    earlier, first = found.boots[:-1], found.boots[-1]
    boots = []
    for number, (lasted, off, release) in enumerate(node.ended):
        at = lasted - STOPPED_AFTER
        asked = Line(at - 0.3, INIT, f"Started sparkctl-act-{number}.service - sparkctl reboot.", STARTED)
        before = first if number == 0 else Boot("")
        lines = (*(line for line in before.lines if line.at < at), asked)
        boot = ended(acted_boot(number), at, after=lines, off=off, release=release)
        boots.append(replace(boot, clocks=before.clocks, restarts=before.restarts))
    return replace(found, boots=(*earlier, *boots, Boot("running", lasted=node.uptime)))


def while_running(found: Past, **changes: Any) -> Past:
    """The same past with something else said of the boot that runs."""
    return replace(found, boots=(*found.boots[:-1], replace(found.boots[-1], **changes)))


def ordinary(node: NodeModel) -> Past:
    """What a node has behind it that nothing happened to: boots that were ended in good order."""
    return past(node, ended("last", 6 * DAY + node.jitter("last", 80_000)))
