"""An act as systemd holds it: a transient unit that outlives who started it, and that is started once.

Sources: systemd-run(1), systemd.service(5) (RemainAfterExit=, RuntimeMaxSec=, Type=exec), systemd.kill(5) (KillMode=),
org.freedesktop.systemd1(5) for the properties that are read back. A unit that ended stays until the boot ends, so that
its name cannot be used again.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import dataclass, field

from diag.controllers.words import ControlResult
from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv
from diag.nodekit.launcher import BUSY, FENCED, FOLDER, MOST_OUTPUT, OTHER_BOOT, REPEATED
from diag.nodekit.printable import printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")
PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus",
    "ExecMainStartTimestampMonotonic", "ExecMainExitTimestampMonotonic",
)  # fmt: skip
REFUSALS = {BUSY: "busy", FENCED: "fenced", OTHER_BOOT: "other_boot"}
STOP_SECONDS = 60
START_SECONDS = 20.0
SHOW_SECONDS = 5.0
SHOWN_LINES, SHOWN_BYTES = 40, 16 * 1024
GOING = frozenset({"activating", "active", "reloading", "deactivating", "refreshing"})


@dataclass(frozen=True)
class Act:
    """One command to be run once on one boot; `longest_s` bounds it, `title` says what it is, for who lists units."""

    act_id: str
    fence: int
    boot_id: str
    title: str
    argv: Argv
    longest_s: float
    environment: tuple[str, ...] = ()

    @property
    def starter(self) -> Argv:
        """The command that starts it; raises ValueError for words that systemd would expand."""
        if any("$" in word for word in self.argv):
            raise ValueError("a word of the command holds a dollar sign")
        return (
            "/usr/bin/systemd-run", "--quiet", "--no-ask-password", f"--unit={unit_of(self.act_id)}",
            f"--description=sparkctl {self.title} (act {self.act_id})",
            "--property=Type=exec", "--property=RemainAfterExit=yes", "--property=KillMode=mixed",
            f"--property=RuntimeMaxSec={self.longest_s:g}", f"--property=TimeoutStopSec={STOP_SECONDS}",
            "--property=OOMPolicy=continue", *(f"--setenv={one}" for one in self.environment),
            "--", *PYTHON, launcher_text(), self.act_id, str(self.fence), self.boot_id, "--", *self.argv,
        )  # fmt: skip


@dataclass(frozen=True)
class State:
    """What became of an act: one of RUNNING, DONE, FAILED, ABSENT, UNKNOWN; the last with a reason, as is FAILED."""

    result: str
    summary: str
    reason: str | None = None
    exit_status: int | None = None
    duration_ms: int | None = None
    output: tuple[str, ...] = ()
    output_sha256: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


def unit_of(act_id: str) -> str:
    """The name of the act's unit."""
    return f"sparkctl-act-{act_id}.service"


def launcher_text() -> str:
    """The source of the launcher, as it stands in a checkout or in the streamed program."""
    name = "diag.nodekit.launcher"
    loader = importlib.import_module(name).__loader__
    text = str(loader.get_source(name))  # type: ignore[union-attr]
    if "$" in text:
        raise ValueError("the launcher holds a dollar sign")
    return text


def start(machine: ActingMachine, act: Act) -> str | None:
    """Have systemd start the act; returns its complaint where it did not. Raises MissingTool, TimeoutError."""
    ran = machine.act(act.starter, seconds=START_SECONDS)
    if ran.exit_status == 0:
        return None
    return printable(" ".join((ran.stderr or ran.stdout).split()), 400) or f"systemd-run ended with {ran.exit_status}"


def observe(machine: ActingMachine, act_id: str) -> State:
    """What this boot knows of an act; raises MissingTool, TimeoutError, Unevaluated, OSError."""
    unit = unit_of(act_id)
    ran = machine.look(("/usr/bin/systemctl", "show", unit, f"--property={','.join(PROPERTIES)}"), seconds=SHOW_SECONDS)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, f"systemctl show: {printable(ran.stderr.strip(), 200)}")
    seen = dict(line.split("=", 1) for line in ran.stdout.splitlines() if "=" in line)
    if "LoadState" not in seen:
        raise ValueError("systemctl show does not tell the state of the unit")
    began, ended = _notes(machine, act_id)
    taken_away = began and seen.get("ExecMainStatus") == str(REPEATED)  # and its name used for a second start
    unknown = seen["LoadState"] == "not-found" and seen.get("ActiveState") == "inactive"
    if unknown or taken_away:
        return _without_unit(machine, act_id, began=began, ended=ended)
    return _with_unit(machine, act_id, seen, began=began)


def _notes(machine: ActingMachine, act_id: str) -> tuple[bool, tuple[int, int] | None]:
    """Whether the launcher began the act, and with which exit status and after how many ms it ended."""
    began = machine.exists(f"{FOLDER}/{act_id}.began")
    text = machine.read_or_none(f"{FOLDER}/{act_id}.ended")
    if text is None:
        return began, None
    try:
        told = json.loads(text)
        return began, (int(told["exit_status"]), int(told["ms"]))
    except (KeyError, TypeError) as error:
        raise ValueError("what the launcher noted at its end cannot be read") from error


def _without_unit(machine: ActingMachine, act_id: str, *, began: bool, ended: tuple[int, int] | None) -> State:
    """A unit that somebody took away: what its launcher noted is left."""
    if ended is not None:
        return _ended(machine, act_id, *ended, began=True, result="exit-code")
    if began:
        return State(ControlResult.UNKNOWN, "it was begun, and its unit is gone without an end", "unit_gone")
    return State(ControlResult.ABSENT, "this boot knows of no such act")


def _with_unit(machine: ActingMachine, act_id: str, seen: dict[str, str], *, began: bool) -> State:
    active, sub = seen.get("ActiveState", ""), seen.get("SubState", "")
    if active in GOING and sub != "exited":
        return State(ControlResult.RUNNING, f"it goes on ({active}, {sub})")
    status = int(seen.get("ExecMainStatus", "0") or 0)
    began_at, ended_at = (int(seen.get(f"ExecMain{one}TimestampMonotonic", "0") or 0) for one in ("Start", "Exit"))
    return _ended(
        machine, act_id, status, max(ended_at - began_at, 0) // 1000, began=began, result=seen.get("Result", "")
    )


def _ended(machine: ActingMachine, act_id: str, status: int, ms: int, *, began: bool, result: str) -> State:
    lines, digest = _output(machine, act_id)
    if status == 0 and result in ("success", "exit-code", ""):
        return State(ControlResult.DONE, "it has ended well", None, 0, ms, lines, digest)
    if not began and status in REFUSALS:
        reason = REFUSALS[status]
        return State(ControlResult.FAILED, f"it was not begun: {WHY[reason]}", reason, status, ms)
    reason = {"timeout": "timeout", "oom-kill": "no_memory", "signal": "signal"}.get(result, "exit_status")
    said = {"timeout": "it did not end in its time"}.get(reason, f"it ended with {status}")
    return State(ControlResult.FAILED, said, reason, status, ms, lines, digest)


WHY = {
    "busy": "another act holds the lock of this machine",
    "fenced": "an act with a higher fence was here before",
    "other_boot": "the machine has started anew since the act was decided",
}


def _output(machine: ActingMachine, act_id: str) -> tuple[tuple[str, ...], str | None]:
    """The last lines that the act printed, and the digest of all that was kept of it."""
    try:
        content = machine.read_bytes(f"{FOLDER}/{act_id}.out", MOST_OUTPUT * 2)
    except FileNotFoundError:
        return (), None
    lines = content[-SHOWN_BYTES:].decode("utf-8", "replace").splitlines()
    shown = [printable(line.rsplit("\r", 1)[-1].rstrip(), 400) for line in lines if line.strip()]
    return tuple(shown[-SHOWN_LINES:]), hashlib.sha256(content).hexdigest()
