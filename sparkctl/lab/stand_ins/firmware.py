"""fwupdmgr of a simulated node: what it installs waits for the next boot."""

import json
import time
from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.stand_ins.said import complain, say

NOTHING_TO_DO, NOT_WELL = 2, 1
INSTALL_SECONDS = 0.2
NEEDS_REBOOT, SUCCESS = 4, 2
"""Update states of fwupd: FWUPD_UPDATE_STATE_NEEDS_REBOOT and FWUPD_UPDATE_STATE_SUCCESS."""


def fwupdmgr(folder: Path, arguments: list[str]) -> int:
    """The words of fwupdmgr that acts use."""
    verb, *words = [word for word in arguments if not word.startswith("--")]
    verbs = {"install": _install, "get-history": _history, "get-releases": _releases}
    return verbs[verb](folder, words)


def _install(folder: Path, words: list[str]) -> int:
    device, version = words
    if version not in _known(folder).get(device, {}).get("releases", []):
        complain("No releases found for device")
        return NOT_WELL
    time.sleep(INSTALL_SECONDS)
    with node_state.changing(folder) as state:
        state.firmware[device] = version
    say('{"Status": "scheduled for the next boot (simulated)"}')
    return 0


def _known(folder: Path) -> dict[str, dict[str, list[str]]]:
    known: dict[str, dict[str, list[str]]] = node_state.facts(folder)["firmware"]
    return known


def _history(folder: Path, words: list[str]) -> int:  # noqa: ARG001 - as every verb
    state = node_state.read(folder)
    rows = [(state.firmware, NEEDS_REBOOT), (state.flashed, SUCCESS)]
    devices = [
        {"DeviceId": device, "Guid": [device], "UpdateState": number, "Releases": [{"Version": version}]}
        for staged, number in rows
        for device, version in staged.items()
    ]
    if not devices:
        return NOTHING_TO_DO
    say(json.dumps({"Devices": devices}))
    return 0


def _releases(folder: Path, words: list[str]) -> int:
    releases = _known(folder).get(words[0], {}).get("releases", [])
    if not releases:
        complain("No releases found for device")
        return NOTHING_TO_DO
    say(json.dumps({"Releases": [{"Version": version} for version in releases]}))
    return 0
