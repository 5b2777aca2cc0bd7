"""What is plugged into a machine or built into it, as sysfs lists it: one function a kind of part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.folder import Folder, children
from diag.nodekit.nvme import NVME
from diag.nodekit.pci import LINK_SPEED, WIDTHS, Function
from diag.nodekit.words import bounded, name, words

USB = "/sys/bus/usb/devices"
TPM = "/sys/class/tpm"
WATCHDOG = "/sys/class/watchdog"
CLASS_NETWORK = "0x02"
NIC_KINDS = {"0x0200": "ethernet", "0x0280": "wireless", "0x0207": "infiniband"}
USB_SPEED = re.compile(r"[1-9][0-9]{0,5}(\.[0-9])?")
SECTOR = 512  # in sysfs a sector is always this many bytes
MAX_FUNCTIONS = 256
MAX_PARTS = 64


def pci(look: Look, functions: Sequence[Function]) -> dict[str, Any]:
    """PCI functions by address, with what their links run at and what they could."""
    listed = {function.address: function for function in functions}
    return {
        address: _function(look, function)
        for address, function in bounded(listed, MAX_FUNCTIONS, "PCI functions").items()
    }


def _function(look: Look, function: Function) -> dict[str, Any]:
    here = Folder(look, function.where, f"pci[{function.address}]")
    return {
        "vendor": function.vendor,
        "device": function.device,
        "subsystem_vendor": here.text("subsystem_vendor"),
        "subsystem_device": here.text("subsystem_device"),
        "class_code": function.class_code,
        "revision": here.text("revision"),
        "driver": function.driver,
        "link_gt_s": _speed(here.text("link_gt_s", "current_link_speed")),
        "link_width": _width(here.number("link_width", "current_link_width")),
        "max_link_gt_s": _speed(here.text("max_link_gt_s", "max_link_speed")),
        "max_link_width": _width(here.number("max_link_width")),
    }


def _speed(text: str | None) -> float | None:
    match = LINK_SPEED.match(text or "")
    return float(match[1]) if match else None


def _width(lanes: int | None) -> int | None:
    return lanes if lanes in WIDTHS else None


def nics(look: Look, functions: Sequence[Function]) -> dict[str, Any]:
    """Network controllers by PCI address, with the interfaces and RDMA devices that stand for them."""
    machine = look.machine
    found = {}
    for function in functions:
        if function.class_code.startswith(CLASS_NETWORK):
            found[function.address] = {
                "kind": NIC_KINDS.get(function.class_code[:6], "other"),
                "interfaces": words(machine.names(f"{function.where}/net")[:MAX_PARTS]),
                "rdma": words(machine.names(f"{function.where}/infiniband")[:MAX_PARTS]),
            }
    return found


def nvme(look: Look) -> dict[str, Any]:
    """NVMe controllers by name; the size is that of all their namespaces."""
    machine = look.machine
    found = {}
    for controller in children(machine, NVME, most=MAX_PARTS):
        here = Folder(look, f"{NVME}/{controller}", f"nvme[{name(controller)}]")
        spaces = children(machine, here.where, r"nvme[0-9]+(c[0-9]+)?n[0-9]+")
        sectors = [here.number("size_bytes", f"{space}/size") for space in spaces]
        found[name(controller)] = {
            "model": here.text("model"),
            "serial": here.text("serial"),
            "transport": here.text("transport"),
            "address": here.text("address"),
            "namespaces": len(spaces),
            "size_bytes": _size_bytes(sectors),
        }
    return found


def _size_bytes(sectors: list[int | None]) -> int | None:
    """The size of all namespaces, None without any and where that of one is not known."""
    known = [size for size in sectors if size is not None]
    return sum(known) * SECTOR if known and len(known) == len(sectors) else None


def usb(look: Look) -> dict[str, Any]:
    """USB devices by port path (`1-1.2`; `usb1` is the root hub of bus 1)."""
    machine = look.machine
    found = {}
    for port in children(machine, USB, r"usb[0-9]+|[0-9]+-[0-9.]+", MAX_PARTS):
        here = Folder(look, f"{USB}/{port}", f"usb[{port}]")
        interfaces = children(machine, here.where, r"[0-9]+-[0-9.]+:[0-9]+\.[0-9]+")
        drivers = (machine.link_name(f"{here.where}/{interface}/driver") for interface in interfaces)
        found[port] = {
            "vendor": here.text("vendor", "idVendor"),
            "product": here.text("product", "idProduct"),
            "class_code": here.text("class_code", "bDeviceClass"),
            # A root hub has the kernel's version for a maker, which is no fact of the hardware.
            "manufacturer": None if port.startswith("usb") else here.text("manufacturer"),
            "name": here.text("name", "product"),
            "serial": here.text("serial"),
            "speed_mbit_s": _usb_speed(here.text("speed_mbit_s", "speed")),
            "drivers": words([driver for driver in drivers if driver is not None]),
        }
    return found


def _usb_speed(text: str | None) -> float | None:
    """Mbit/s: `1.5`, `480`, `20000`; `unknown` of a device that is being set up is no value."""
    match = USB_SPEED.fullmatch(text or "")
    return float(match[0]) if match else None


def tpms(look: Look) -> dict[str, Any]:
    """TPMs by name; their maker and firmware are in the firmware facet, for they cost root."""
    found = {}
    for tpm in children(look.machine, TPM, r"tpm[0-9]+", MAX_PARTS):
        here = Folder(look, f"{TPM}/{tpm}", f"tpms[{tpm}]")
        found[tpm] = {
            "version_major": here.number("version_major", "tpm_version_major"),
            "description": here.text("description", "device/description"),
            "driver": here.link("driver", "device/driver"),
        }
    return found


def watchdogs(look: Look) -> dict[str, Any]:
    """Watchdog timers by name; `timeleft` is left alone, for its values mean nothing on these machines."""
    found = {}
    for watchdog in children(look.machine, WATCHDOG, r"watchdog[0-9]+", MAX_PARTS):
        here = Folder(look, f"{WATCHDOG}/{watchdog}", f"watchdogs[{watchdog}]")
        found[watchdog] = {
            "identity": here.text("identity"),
            "state": here.text("state"),
            "timeout_s": here.number("timeout_s", "timeout"),
            "nowayout": here.flag("nowayout"),
        }
    return found
