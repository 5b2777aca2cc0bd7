"""Updates of firmware: what the firmware itself says of the last attempt (ESRT), and what fwupd did.

The ESRT has no time at all, and fwupd's are those of the clock of the day, which may have been set since. So none of it
is bound to a boot: that an update was installed at a reboot does not say at which.
"""

from __future__ import annotations

import json
from typing import Any

from diag.nodekit.esrt import ENTRIES, READ_ALL, esrt
from diag.nodekit.fwupd import NO_DEVICES
from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.reset.evidence import Report, Seen, excerpt
from diag.reset.parts import Parts
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = 5.0
ELEVATED = (READ_ALL,)
EFI = "/sys/firmware/efi"
# The switches keep it from asking for a report, and from looking for newer metadata.
GET_HISTORY = (
    "fwupdmgr", "get-history", "--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check",
)  # fmt: skip
HISTORY_SECONDS, MAX_BYTES = 2.5, 1024 * 1024  # the table has its 2 s first
NOTHING_TO_DO = 9  # FwupdError; some versions print it as JSON and end well
MOST = 4  # of each: they are context, and must not crowd out evidence
STATES = {1: "pending", 2: "success", 3: "failed", 4: "needs a reboot", 5: "failed for now"}  # FwupdUpdateState
SUCCESS = 0  # LastAttemptStatus, UEFI specification, section 23.4


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """`firmware_update` for the attempts that are on record: those that failed first, then fwupd's newest.

    Raises OSError, MissingTool, Unevaluated, ValueError where neither can be read.
    """
    parts = Parts(machine)
    seen = (parts.of(lambda: _attempts(machine)) or ()) + (parts.of(lambda: _history(machine)) or ())
    state, detail = parts.state()
    if state == SourceState.READ and not seen:
        state, detail = SourceState.ABSENT, "no attempt to update firmware is on record"
    return Report(Source.FIRMWARE, state, detail, seen=seen)


def _attempts(machine: Machine) -> tuple[Seen, ...]:
    entries = esrt(machine)
    if entries is None:
        if not machine.exists(EFI):
            raise FileNotFoundError(2, "No such folder", EFI)
        return ()
    tried = [(guid, entry) for guid, entry in entries.items() if entry.get("last_attempt_version")]
    tried.sort(key=lambda pair: pair[1].get("last_attempt_status", SUCCESS) == SUCCESS)
    return tuple(_attempt(guid, entry) for guid, entry in tried[:MOST])


def _attempt(guid: str, entry: dict[str, Any]) -> Seen:
    status = entry.get("last_attempt_status")
    became = "of unknown outcome" if status is None else "success" if status == SUCCESS else f"failed, status {status}"
    told = f"firmware {guid}: last attempt to install {entry['last_attempt_version']:#010x}, {became}; when is not told"
    return Seen(Source.FIRMWARE, "firmware_update", ENTRIES, excerpt(told), value=became)


def _history(machine: Machine) -> tuple[Seen, ...]:
    ran = machine.run(GET_HISTORY, seconds=HISTORY_SECONDS, limit=MAX_BYTES)
    if ran.exit_status == NO_DEVICES:
        return ()
    if ran.exit_status != 0 and not ran.stdout.lstrip().startswith("{"):
        said = excerpt(one_line(ran.stderr or ran.stdout))
        raise Unevaluated(UnknownReason.PRECONDITION, f"fwupdmgr ended with {ran.exit_status}: {said}")
    return parse_history(ran.stdout)


def parse_history(text: str) -> tuple[Seen, ...]:
    """The newest updates of `fwupdmgr get-history --json`, by fwupd's own time; raises ValueError, Unevaluated."""
    try:
        answer = json.loads(text)
    except RecursionError as error:
        raise ValueError("the history of fwupd is nested too deeply") from error
    answer = answer if isinstance(answer, dict) else {}
    failed = answer.get("Error")
    if isinstance(failed, dict) and failed.get("Code") == NOTHING_TO_DO:
        return ()
    if isinstance(failed, dict):
        raise Unevaluated(UnknownReason.PRECONDITION, f"fwupdmgr: {excerpt(str(failed.get('Message')))}")
    devices = answer.get("Devices")
    if not isinstance(devices, list):
        raise ValueError("the history of fwupd has no list of devices")  # noqa: TRY004 - bad text is a ValueError
    known = [device for device in devices if isinstance(device, dict)]
    known.sort(key=lambda device: _number(device.get("Modified")), reverse=True)
    return tuple(map(_update, known[:MOST]))


def _update(device: dict[str, Any]) -> Seen:
    number = _number(device.get("UpdateState"))
    state = STATES.get(number, f"state {number}")
    releases = device.get("Releases")
    release = releases[0] if isinstance(releases, list) and releases and isinstance(releases[0], dict) else {}
    told = f"{_text(device, 'Name')} from {_text(device, 'Version')} to {_text(release, 'Version')}: {state}"
    problem = device.get("UpdateError")
    told += f" ({problem})" if isinstance(problem, str) else ""
    return Seen(Source.FIRMWARE, "firmware_update", " ".join(GET_HISTORY[:3]), excerpt(told), value=state)


def _text(part: dict[str, Any], key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) and value.strip() else "?"


def _number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else 0
