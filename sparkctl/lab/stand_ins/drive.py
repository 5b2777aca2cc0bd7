"""nvme of a simulated node, whose drive is a file; and the two programs of ours that an erase runs beside it."""

import json
import subprocess
import sys
from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.node_state import DRIVE
from sparkctl.lab.stand_ins.said import complain, options_in, say

NOT_WELL, NO_DRIVE, NOT_PLAYED = 1, 2, 127
NEVER, SUCCEEDED, RUNNING, FAILED = range(4)
TEXTS = (
    "NVM Subsystem has never been sanitized.",
    "Most Recent Sanitize Command Completed Successfully.",
    "Sanitize in Progress.",
    "Most Recent Sanitize Command Failed.",
)
"""As nvme-cli 2 prints the states of the Sanitize Status log page (NVMe base specification 2.0, figure 272)."""
FRESH = {"sstat": NEVER, "sprog": 65535, "cdw10": 0, "asked": 0}
STEPS = (16384, 32768, 49152)
STUCK_AT = 32768
CRYPTO = "4"
ALL_SANITIZE, CRYPTO_BY_FORMAT = 0b111, 0b100
NVME, NAMESPACE = "/usr/sbin/nvme", "/dev/nvme0n1"
PROGRAMS = ("def looked_for(", "WAITED_STUCK")
"""What only `marker_blocks` and `sanitize_log` of the node kit hold: no other program is run for a simulated node."""


def nvme(folder: Path, arguments: list[str]) -> int:
    """The verbs of nvme that erasing uses."""
    facts = node_state.facts(folder)
    if facts["drive"] is None:
        complain("Failed to open /dev/nvme0: No such file or directory")
        return NO_DRIVE
    verb = arguments[0]
    if verb == "version":
        say("nvme version 2.8 (simulated)")
    elif verb == "id-ctrl":
        said = {"sn": facts["drive"]["serial"], "mn": facts["drive"]["model"], "fr": facts["drive"]["firmware"]}
        say(json.dumps(said | {"sanicap": ALL_SANITIZE, "fna": CRYPTO_BY_FORMAT}))
    elif verb == "sanitize-log":
        say(json.dumps(_page(folder, facts["fault"]), indent=2))
    elif verb == "sanitize":
        return _sanitize(folder, options_in(arguments, "sanact")["sanact"][0], facts["fault"])
    elif verb == "format":
        _erase(folder)
        say("Success formatting namespace:1 (simulated)")
    else:
        complain(f"ERROR: Invalid sub-command '{verb}', which this lab does not play")
        return NOT_WELL
    return 0


def _sanitize(folder: Path, action: str, fault: str | None) -> int:
    if fault == "erase-refused" and action == CRYPTO:
        complain("NVMe status: Invalid Field in Command: A reserved coded value or an unsupported value (0x4002)")
        return NOT_WELL
    with node_state.changing(folder) as state:
        state.sanitize = {"sstat": RUNNING, "sprog": 0, "cdw10": int(action), "asked": 0}
    return 0


def _page(folder: Path, fault: str | None) -> dict[str, object]:
    """The log page, one step further each time that it is asked for while a sanitise runs."""
    with node_state.changing(folder) as state:
        log = state.sanitize = FRESH | state.sanitize
        if log["sstat"] == RUNNING:
            _go_on(folder, log, fault)
        number = log["sstat"]
    status = {"global_erased": int(number == SUCCEEDED), "no_cmplted_passes": 0, TEXTS[number]: f"({number})"}
    return {"nvme0": {"sprog": log["sprog"], "sstat": status, "cdw10_info": log["cdw10"]}}


def _go_on(folder: Path, log: dict[str, int], fault: str | None) -> None:
    log["asked"] += 1
    if log["asked"] <= len(STEPS):
        log["sprog"] = STEPS[log["asked"] - 1] if fault != "erase-stuck" else min(STEPS[log["asked"] - 1], STUCK_AT)
    elif fault != "erase-stuck":
        log |= {"sprog": 65535, "sstat": FAILED if fault == "erase-fails" else SUCCEEDED}
        if fault not in ("erase-fails", "erase-lies"):
            _erase(folder)


def _erase(folder: Path) -> None:
    """Nothing of what was written reads back."""
    with (folder / DRIVE).open("r+b") as file:
        size = file.seek(0, 2)
        file.truncate(0)
        file.truncate(size)


def python3(folder: Path, arguments: list[str]) -> int:
    """`-I -S -c TEXT WORDS`: one of two programs, with the lab's own drive and commands in place of the node's."""
    *flags, text = arguments[:4]
    if flags != ["-I", "-S", "-c"] or not any(mark in text for mark in PROGRAMS):
        complain("sparkctl lab: a simulated node does not run this program")
        return NOT_PLAYED
    text = text.replace(json.dumps(NVME), json.dumps(str(folder / "bin" / "nvme")))
    words = [str(folder / DRIVE) if word == NAMESPACE else word for word in arguments[4:]]
    return subprocess.run([sys.executable, *flags, text, *words], check=False).returncode
