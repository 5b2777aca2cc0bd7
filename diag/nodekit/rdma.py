"""RDMA devices, and which of them share a cage of a ConnectX-7."""

from __future__ import annotations

import re
from typing import Any

from diag.nodekit.connectx import observe_connectx
from diag.nodekit.facet import Look
from diag.nodekit.folder import Folder, children
from diag.nodekit.machine import Machine
from diag.nodekit.platform import platform_evidence
from diag.nodekit.words import name, word, words

INFINIBAND = "/sys/class/infiniband"
NUMBERED = re.compile(r"\d+: (.*)")  # `4: ACTIVE`
RATE = re.compile(r"(\d+(?:\.\d+)?) Gb/sec(?: \((.*)\))?")  # `200 Gb/sec (2X NDR)`
NO_GUID = "0000:0000:0000:0000"
MAX_DEVICES, MAX_PORTS = 64, 16


def rdma(look: Look) -> dict[str, Any]:
    """RDMA devices by name, with their ports by number."""
    found = {}
    for device in children(look.machine, INFINIBAND, most=MAX_DEVICES):
        path = f"rdma[{name(device)}]"
        here = Folder(look, f"{INFINIBAND}/{device}", path)
        guid = here.text("node_guid")
        found[name(device)] = {
            "node_guid": None if guid == NO_GUID else guid,
            "firmware": here.text("firmware", "fw_ver"),
            "hardware": here.text("hardware", "hca_type"),
            "device": here.link("device"),
            "interfaces": words(look.machine.names(f"{here.where}/device/net")),
            "ports": {
                name(port): _port(here.below(f"ports/{port}", f"{path}.ports[{name(port)}]"))
                for port in children(look.machine, f"{here.where}/ports", most=MAX_PORTS)
            },
        }
    return found


def _port(here: Folder) -> dict[str, Any]:
    rate = RATE.fullmatch(here.text("rate_gbit_s", "rate", also=("lanes",)) or "")
    return {
        "state": _without_number(here.text("state")),
        "physical_state": _without_number(here.text("physical_state", "phys_state")),
        "rate_gbit_s": float(rate[1]) if rate else None,
        "lanes": word(rate[2]) if rate else None,
        "link_layer": here.text("link_layer"),
    }


def _without_number(text: str | None) -> str | None:
    match = NUMBERED.fullmatch(text or "")
    return word(match[1]) if match else text


def cages(machine: Machine) -> dict[str, Any] | None:
    """The cages of a GB10's ConnectX-7 with their twins; raises NotApplicable where it is not on the bus.

    None on another machine: there, function numbers say nothing about cages.
    """
    if platform_evidence(machine).is_gb10 is not True:
        return None
    return {
        name(cage.name.replace(" ", "-")): {
            "functions": sorted(port.function.address for port in cage.ports),
            "interfaces": words([port.interface.name for port in cage.ports if port.interface is not None]),
            "live": len(cage.live),
        }
        for cage in observe_connectx(machine).cages
    }
