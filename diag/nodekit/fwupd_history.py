"""What fwupd noted of the updates that it made, and which releases it has for a device."""

from __future__ import annotations

import json
from typing import Any

from diag.nodekit.acting import ActingMachine
from diag.nodekit.fwupd import NO_DEVICES
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

QUIET = ("--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check")
SECONDS = 10.0
MAX_OUTPUT = 2 * 1024 * 1024
STATES = {1: "pending", 2: "success", 3: "failed", 4: "needs_reboot", 5: "failed_transient"}
"""fwupd's own numbers: FwupdUpdateState of libfwupd."""


def releases(machine: ActingMachine, device: str) -> list[str]:
    """The versions that fwupd can install on a device; raises MissingTool, TimeoutError, Unevaluated, ValueError."""
    answer = _answer(machine, "get-releases", device)
    return [str(one.get("Version")) for one in _objects(answer, "Releases")]


def last_update(machine: ActingMachine, guid: str) -> tuple[str | None, str | None]:
    """Version and state (see STATES) of a device's last update; None where there was none. Raises as `releases`."""
    for device in _objects(_answer(machine, "get-history"), "Devices"):
        guids, state = device.get("Guid"), device.get("UpdateState")
        if isinstance(guids, list) and guid in [str(one).lower() for one in guids]:
            version = next((str(one.get("Version")) for one in _objects(device, "Releases")), None)
            return version, STATES.get(state, "unknown") if isinstance(state, int) else "unknown"
    return None, None


def _answer(machine: ActingMachine, *words: str) -> dict[str, Any]:
    ran = machine.look(("/usr/bin/fwupdmgr", *words, *QUIET), seconds=SECONDS, limit=MAX_OUTPUT)
    if ran.exit_status == NO_DEVICES:
        return {}
    if ran.exit_status != 0:
        said = one_line(ran.stderr or ran.stdout)[:200]
        raise Unevaluated(UnknownReason.PRECONDITION, f"fwupdmgr {words[0]} ended with {ran.exit_status}: {said}")
    answer = json.loads(ran.stdout)
    return answer if isinstance(answer, dict) else {"Devices": None, "Releases": None}


def _objects(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = answer.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"the answer of fwupdmgr has no list of {key}")
    return found
