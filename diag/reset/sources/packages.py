"""Changes of packages: the last runs of apt, and where unattended-upgrades said that it restarts the machine.

Both logs have the clock of the day only, in the zone of the node. What was done last before a reboot by that clock need
not have been done in the boot that ended, so nothing here is bound to a boot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from diag.nodekit.machine import Machine
from diag.reset.evidence import Report, Seen, excerpt
from diag.reset.parts import Parts
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = 3.0
ELEVATED: tuple[tuple[str, ...], ...] = ()
HISTORY = "/var/log/apt/history.log"
UNATTENDED = "/var/log/unattended-upgrades"
MAX_BYTES = 4 * 1024 * 1024  # both are rotated each month; a year of one node is some 300 KiB
MOST, MOST_REBOOTS, MOST_LOGS = 4, 2, 4  # they are context, and must not crowd out evidence
FIELD = re.compile(r"^(Start-Date|Commandline|Requested-By|Error|End-Date): *(.*)$")
SECRET = re.compile(r"://\S*@")  # user and password of a URL, slashes and all
# `... WARNING Found /var/run/reboot-required, rebooting`; with somebody logged in it says `but not rebooting`.
REBOOTS = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* [A-Z]+ (?!.*\bnot rebooting)(.*(?:\brebooting\b|\bShutdown msg: ).*)"
)


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """`package_change` for the last runs, newest first; `value` is when one ended, in the node's own time.

    Only what was logged since the logs were last rotated. Raises OSError where no log can be read.
    """
    parts = Parts(machine)
    runs = parts.of(lambda: parse_history(_whole(machine, HISTORY))) or ()
    names = parts.of(lambda: _logs(machine)) or []
    found = [parts.of(partial(_reboots, machine, path)) or () for path in names]
    reboots = sorted((one for some in found for one in some), key=lambda one: one.value or "", reverse=True)
    state, detail = parts.state()
    seen = (*runs, *reboots[:MOST_REBOOTS])
    if state == SourceState.READ and not seen:
        state, detail = SourceState.ABSENT, "no change of packages is logged since the logs were last rotated"
    return Report(Source.PACKAGES, state, detail, seen=seen)


def _reboots(machine: Machine, path: str) -> tuple[Seen, ...]:
    return parse_unattended(_whole(machine, path), path)


def _whole(machine: Machine, path: str) -> str:
    """A whole log; raises ValueError for one that is longer than what is read, since its end is what matters."""
    content = machine.read_bytes(path, MAX_BYTES)
    if len(content) == MAX_BYTES:
        raise ValueError(f"{path} is longer than the {MAX_BYTES} bytes that are read of it")
    return content.decode("utf-8", "replace")


def _logs(machine: Machine) -> list[str]:
    if not machine.exists(UNATTENDED):
        raise FileNotFoundError(2, "No such folder", UNATTENDED)
    names = [name for name in machine.names(UNATTENDED) if name.endswith(".log") and not name.endswith("-dpkg.log")]
    return [f"{UNATTENDED}/{name}" for name in names[:MOST_LOGS]]


def parse_history(text: str) -> tuple[Seen, ...]:
    """The last runs of apt, newest first; one without an end was cut off, or goes on."""
    runs = [run for run in _runs(text) if "Start-Date" in run]
    return tuple(_run(run) for run in reversed(runs[-MOST:]))


def _runs(text: str) -> Iterator[dict[str, str]]:
    run: dict[str, str] = {}
    for line in text.splitlines():
        match = FIELD.match(line)
        if match is None:
            continue
        if match[1] == "Start-Date" and run:
            yield run
            run = {}
        run[match[1]] = match[2].strip()
    if run:
        yield run


def _run(run: dict[str, str]) -> Seen:
    begun, ended = run["Start-Date"], run.get("End-Date")
    outcome = f"error: {run['Error']}" if "Error" in run else "ended" if ended else "not ended"
    who = f" for {run['Requested-By']}" if "Requested-By" in run else ""
    told = f"{run.get('Commandline') or 'apt, command not logged'}{who}; begun {begun}, {outcome}"
    value = excerpt(ended)[:60] if ended else f"not ended, begun {excerpt(begun)[:60]}"
    return Seen(Source.PACKAGES, "package_change", HISTORY, excerpt(SECRET.sub("://…@", told)), value=value)


def parse_unattended(text: str, path: str) -> tuple[Seen, ...]:
    """Where it said that it restarts the machine, newest first."""
    matches = [match for match in map(REBOOTS.match, text.splitlines()) if match is not None]
    return tuple(
        Seen(Source.PACKAGES, "package_change", path, excerpt(f"unattended-upgrades: {match[2]}"), value=match[1])
        for match in reversed(matches[-MOST_REBOOTS:])
    )
