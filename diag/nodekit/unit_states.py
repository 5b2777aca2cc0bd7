"""Units of systemd that acts stop, start and mask: how they are, and the exact commands.

A unit is masked in memory by a link in /run/systemd/system.control, which systemd reads before /etc (systemd.unit(5),
"Unit File Load Path"). `systemctl mask --runtime` writes to /run/systemd/system, which /etc goes before: it does not
hold for units that an administrator wrote, as those that serve models are. Either way a reboot takes the mask away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import THEN, Argv, Scalar, Seen
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

SYSTEMCTL = "/usr/bin/systemctl"
MASKS = "/run/systemd/system.control"
PROPERTIES = "--property=LoadState,ActiveState"
ABSENT, MASKED, ACTIVE = "absent", "masked", "active"
RUNS = frozenset({"active", "reloading", "refreshing", "activating"})


def unit_states(machine: ActingMachine, names: Sequence[str]) -> Seen:
    """By name: `absent`, `masked`, else its state as systemd names it; raises MissingTool, Unevaluated, ValueError."""
    ran = machine.look((SYSTEMCTL, "show", *names, PROPERTIES))
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"systemctl show: {one_line(ran.stderr)[:200]}")
    blocks = ran.stdout.strip("\n").split("\n\n")
    if len(blocks) != len(names):
        raise ValueError(f"systemctl show tells of {len(blocks)} units, asked for {len(names)}")
    return {name: _state(block) for name, block in zip(names, blocks, strict=True)}


def _state(block: str) -> str:
    told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    if not {"LoadState", "ActiveState"} <= told.keys():
        raise ValueError("systemctl show does not tell the state of a unit")
    special = {"not-found": ABSENT, "masked": MASKED}
    # A unit that runs while it is masked has to be stopped yet.
    if told["LoadState"] == "masked" and told["ActiveState"] in RUNS:
        return told["ActiveState"]
    return special.get(told["LoadState"], told["ActiveState"])


def in_state(before: Mapping[str, Scalar], names: Sequence[str], *, runs: bool = False) -> tuple[str, ...]:
    """Those of the names that were there and not masked before; with `runs`, those that ran."""
    there = tuple(name for name in names if before.get(name) not in (None, ABSENT, MASKED))
    return tuple(name for name in there if before.get(name) in RUNS) if runs else there


def mask(names: Sequence[str]) -> Argv:
    """The command that keeps units from being started, and stops them."""
    if not names:
        return ()
    links = [word for name in names for word in (THEN, "/usr/bin/ln", "-s", "-f", "/dev/null", f"{MASKS}/{name}")]
    start = ("/usr/bin/mkdir", "-p", MASKS)
    return (*start, *links, THEN, SYSTEMCTL, "daemon-reload", THEN, SYSTEMCTL, "stop", *names)


def unmask(names: Sequence[str], running: Sequence[str]) -> Argv:
    """The command that takes the mask away, and starts those that ran before."""
    if not names:
        return ()
    free = ("/usr/bin/rm", "-f", *(f"{MASKS}/{name}" for name in names), THEN, SYSTEMCTL, "daemon-reload")
    return (*free, THEN, SYSTEMCTL, "start", *running) if running else free
