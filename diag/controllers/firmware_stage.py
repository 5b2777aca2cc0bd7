"""Have fwupd put one exact release of firmware in place, which the next boot takes."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.fwupd import fwupd_devices
from diag.nodekit.fwupd_history import last_update, releases
from diag.nodekit.parameters import Text

DEVICE = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RELEASE = r"[0-9A-Za-z][0-9A-Za-z.+:~_-]{0,63}"
STAGED = frozenset({"pending", "needs_reboot"})


def _seen(machine: ActingMachine, asked: Asked) -> Seen:
    """The version that the device has, and what became of its last update."""
    device = fwupd_devices(machine).get(asked.given["device"])
    version, state = last_update(machine, asked.given["device"])
    current = None if device is None else device["version"]
    return {"version": current, "last_update": version, "last_update_state": state}


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """fwupd knows the device, and has this release for it."""
    wanted, seen = asked.given["release"], _seen(machine, asked)
    if seen["version"] == wanted:
        return holds(f"the device has {wanted}", **seen)
    if seen["version"] is None:
        raise Refused("device_absent", f"fwupd knows no device {asked.given['device']}", seen)
    if seen["last_update_state"] in STAGED:
        if seen["last_update"] == wanted:
            return holds(f"{wanted} waits for the next boot", **seen)
        raise Refused("other_staged", f"{seen['last_update']} waits for the next boot", seen)
    if wanted not in releases(machine, asked.given["device"]):
        raise Refused("release_unavailable", f"fwupd has no release {wanted} for the device", seen)
    return ready(f"{wanted} can be put in place", **seen)


def argv(asked: Asked) -> Argv:
    """The one command; fwupdmgr(1): nothing is asked, nothing is restarted, no network is needed for metadata."""
    return (
        "/usr/bin/fwupdmgr", "install", asked.given["device"], asked.given["release"], "--assume-yes",
        "--no-reboot-check", "--no-unreported-check", "--no-metadata-check", "--no-remote-check",
    )  # fmt: skip


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """The release waits for the next boot, or the device has it."""
    wanted, seen = asked.given["release"], _seen(machine, asked)
    if seen["version"] == wanted:
        return holds(f"the device has {wanted}", **seen)
    if seen["last_update"] == wanted and seen["last_update_state"] in STAGED:
        return holds(f"{wanted} waits for the next boot", **seen)
    words = f"the device has {seen['version']}, its last update was {seen['last_update']}: {seen['last_update_state']}"
    return lacks("not_staged", words, **seen)


CONTROLLER = Controller(
    "Put a release of firmware in place for the next boot",
    {
        "device": Text("the GUID of the device, as fwupd lists it, in lower case", DEVICE),
        "release": Text("the version, as fwupd lists it", RELEASE),
    },
    precheck,
    argv,
    postcheck,
    longest_s=900,
    no_undo="fwupd has no command that takes back what waits for the next boot, and firmware that was taken may refuse"
    " an older one",
)
