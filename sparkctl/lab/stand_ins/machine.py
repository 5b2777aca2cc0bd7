"""busctl and lslocks of a simulated node: who keeps off a shutdown, and who holds the locks of dpkg."""

import json
from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.stand_ins.said import say

ORDINARY = ["sleep", "NetworkManager", "NetworkManager needs to turn off networks", "delay", 0, 1101]
BLOCKING = ["shutdown:sleep", "fwupd", "Firmware update in progress (simulated)", "block", 0, 4711]


def busctl(folder: Path, arguments: list[str]) -> int:  # noqa: ARG001 - the one call that acts make
    """The inhibitors of logind."""
    inhibited = node_state.facts(folder)["fault"] == "inhibited"
    say(json.dumps({"type": "a(ssssuu)", "data": [[ORDINARY, *([BLOCKING] if inhibited else [])]]}))
    return 0


def lslocks(folder: Path, arguments: list[str]) -> int:  # noqa: ARG001 - in the one form that acts ask for
    """The locks of files."""
    facts = node_state.facts(folder)
    locks = [{"command": "systemd-journald", "pid": 498, "path": "/run/systemd/journal.lock"}]
    if facts["fault"] == "apt-locked":
        command, pid = facts["lock_holder"]
        locks.append({"command": command, "pid": pid, "path": "/var/lib/dpkg/lock-frontend"})
    say(json.dumps({"locks": locks}))
    return 0
