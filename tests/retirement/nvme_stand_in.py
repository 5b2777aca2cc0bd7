"""A stand-in for nvme-cli over a loop device: it prints as nvme-cli 2 does, and behaves as its state says.

What it knows lies in STATE (JSON): `behaviour` is one of success, failed, stuck, lies, forgets, refuses, other_action.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path("@STATE@")
DRIVE = "/dev/nvme0n1"
STEPS = (8192, 32768, 57344)
TEXTS = {
    0: "NVM Subsystem has never been sanitized.",
    1: "Most Recent Sanitize Command Completed Successfully.",
    2: "Sanitize in Progress.",
    3: "Most Recent Sanitize Command Failed.",
}


def erase(keep: int) -> None:
    """Overwrite the drive, but for the first so many blocks of 4,096 bytes and the last one where any are kept."""
    device = os.open(DRIVE, os.O_WRONLY)
    size = os.lseek(device, 0, os.SEEK_END)
    start = keep * 4096
    os.lseek(device, start, os.SEEK_SET)
    left = size - start - (4096 if keep else 0)
    while left:
        left -= os.write(device, bytes(min(left, 1 << 20)))
    os.fsync(device)
    os.close(device)


def log(state: dict[str, Any]) -> dict[str, Any]:
    """The page, one step further each time that it is asked for."""
    if state["sstat"] == 2:
        state["asked"] += 1
        behaviour = state["behaviour"]
        if behaviour == "stuck":
            state["sprog"] = 32768
        elif state["asked"] <= len(STEPS):
            state["sprog"] = STEPS[state["asked"] - 1]
        else:
            end(state)
    number = state["sstat"]
    status = {"global_erased": int(number == 1), "no_cmplted_passes": 0, TEXTS[number]: f"({number}) {TEXTS[number]}"}
    more = {"time_over_write": 4294967295, "time_block_erase": 4294967295, "time_crypto_erase": 4294967295}
    return {"nvme0": {"sprog": state["sprog"], "sstat": status, "cdw10_info": state["cdw10"], **more}}


def end(state: dict[str, Any]) -> None:
    state["sprog"] = 65535
    if state["behaviour"] == "failed":
        state["sstat"] = 3
        return
    if state["behaviour"] != "lies":
        erase(1 if state["behaviour"] == "forgets" else 0)
    state["sstat"] = 1


def main(arguments: list[str]) -> int:
    state = json.loads(STATE.read_text())
    verb = arguments[0]
    with STATE.with_suffix(".calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    if verb == "version":
        print("nvme version 2.8 (git 2.8)\nlibnvme version 1.8 (git 1.8)")
    elif verb == "id-ctrl":
        print(json.dumps({"vid": 5197, "sn": state["serial"] + "    ", "mn": "Samsung PM9E1 stand-in", "fr": "1.0",
                          "sanicap": state["sanicap"], "fna": state["fna"]}))  # fmt: skip
    elif verb == "sanitize-log":
        print(json.dumps(log(state), indent=2))
    elif verb == "sanitize" and state["behaviour"] == "refuses":
        print("NVMe status: Invalid Field in Command: A reserved coded value (0x4002)", file=sys.stderr)
        return 1
    elif verb == "sanitize":
        action = int(arguments[2].partition("=")[2])
        state |= {"sstat": 2, "sprog": 0, "asked": 0, "cdw10": 2 if state["behaviour"] == "other_action" else action}
    elif verb == "format":
        erase(0)
        print("Success formatting namespace:1")
    else:
        return 2
    STATE.write_text(json.dumps(state))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
