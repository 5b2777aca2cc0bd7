"""A drive that is to be erased: is it the one that is meant, does nobody use it, what does it say, what reads back."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import dataclass
from typing import Any

from diag.nodekit import marker_blocks
from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Asked, Refused, Seen
from diag.nodekit.marker_blocks import Found
from diag.nodekit.parameters import Text
from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.sanitize_log import NVME, Page, page_in
from diag.nodekit.vocabulary import UnknownReason

SECONDS = 10.0
DRIVE_PARAMETERS = {
    "device": Text("the namespace, as `nvme0n1`; a sanitise erases all of its controller", r"nvme\d{1,3}n\d{1,3}"),
    "serial": Text("the serial number that the drive must have", r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}"),
    "seed": Text("what the markers are made of: 32 hexadecimal digits, fresh for each drive", r"[0-9a-f]{32}"),
}  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """What a controller says that it is: Identify Controller (NVMe base specification 2.0, figure 275)."""

    serial: str
    model: str
    firmware: str
    sanicap: int
    fna: int


def controller_of(asked: Asked) -> str:
    """The controller of the namespace, as `/dev/nvme0`."""
    return "/dev/" + re.sub(r"n\d+$", "", str(asked.given["device"]))


def namespace_of(asked: Asked) -> str:
    """The namespace, as `/dev/nvme0n1`."""
    return f"/dev/{asked.given['device']}"


def require_drive(machine: ActingMachine, asked: Asked) -> tuple[Identity, Seen]:
    """The drive, which is the one that is meant and not in use; raises Refused."""
    found = identity(machine, asked)
    seen: Seen = {
        "serial": found.serial, "model": found.model, "firmware": found.firmware, "sanicap": found.sanicap,
        "fna": found.fna, "tool_version": version(machine),
    }  # fmt: skip
    if found.serial != asked.given["serial"]:
        raise Refused("other_drive", f"the drive is {found.serial}, not {asked.given['serial']}", seen)
    users = _users(machine, controller_of(asked))
    if users:
        raise Refused("in_use", f"{users[0]} is in use: start another system, from the network or a stick", seen)
    return found, seen


def identity(machine: ActingMachine, asked: Asked) -> Identity:
    """What the controller says that it is; raises Unevaluated, MissingTool."""
    found = _json(machine, "id-ctrl", controller_of(asked))
    words = {key: one_line(str(found.get(key, ""))) for key in ("sn", "mn", "fr")}
    numbers = {key: found.get(key) for key in ("sanicap", "fna")}
    if not words["sn"] or not all(isinstance(one, int) for one in numbers.values()):
        raise Unevaluated(UnknownReason.PARSE_ERROR, "nvme id-ctrl does not tell sn, sanicap and fna")
    return Identity(words["sn"], words["mn"], words["fr"], numbers["sanicap"], numbers["fna"])  # type: ignore[arg-type]


def version(machine: ActingMachine) -> str | None:
    """The release of nvme-cli."""
    match = re.search(r"nvme version (\S+)", machine.look((NVME, "version"), seconds=SECONDS).stdout)
    return match[1] if match else None


def sanitize_page(machine: ActingMachine, asked: Asked) -> Page:
    """The drive's sanitize log; raises Unevaluated, MissingTool."""
    try:
        return page_in(_printed(machine, "sanitize-log", controller_of(asked)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unevaluated(UnknownReason.PARSE_ERROR, f"nvme sanitize-log cannot be read: {error}") from error


def page_seen(page: Page) -> Seen:
    """The page among what was looked at."""
    return {
        "sanitize_state": page.state, "sanitize_progress": page.progress, "sanitize_cdw10": page.cdw10,
        "global_erased": page.erased,
    }  # fmt: skip


def markers(machine: ActingMachine, asked: Asked) -> Found:
    """Which markers read back; raises Refused where the drive is in use, Unevaluated on a tree, OSError."""
    place = namespace_of(asked)
    try:
        return marker_blocks.looked_for(machine.device(place), str(asked.given["seed"]))
    except ValueError as error:
        raise Refused("too_small", str(error)) from error
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise Refused("in_use", f"{place} is in use: start another system, from the network or a stick") from error
        raise


def markers_seen(found: Found) -> Seen:
    """The markers among what was looked at."""
    return {
        "markers": marker_blocks.COUNT, "markers_found": found.found, "markers_unreadable": found.unreadable,
        "markers_digest": found.digest, "markers_direct": found.direct, "bytes": found.bytes,
    }  # fmt: skip


def _users(machine: ActingMachine, controller: str) -> list[str]:
    """What of a controller's namespaces is mounted or swapped to."""
    lines = [*machine.read("/proc/mounts").splitlines(), *(machine.read_or_none("/proc/swaps") or "").splitlines()]
    devices = [line.split()[0] for line in lines if line.split()]
    return sorted({printable(one, 100) for one in devices if re.match(re.escape(controller) + r"n\d", one)})


def _json(machine: ActingMachine, verb: str, device: str) -> dict[str, Any]:
    try:
        found = json.loads(_printed(machine, verb, device))
    except ValueError as error:
        raise Unevaluated(UnknownReason.PARSE_ERROR, f"nvme {verb} prints no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unevaluated(UnknownReason.PARSE_ERROR, f"nvme {verb} prints no object")
    return found


def _printed(machine: ActingMachine, verb: str, device: str) -> str:
    ran = machine.look((NVME, verb, device, "--output-format=json"), seconds=SECONDS)
    if ran.exit_status != 0:
        words = printable(one_line(ran.stderr or ran.stdout), 200)
        raise Unevaluated(UnknownReason.PRECONDITION, f"nvme {verb} {device} ended with {ran.exit_status}: {words}")
    return ran.stdout
