"""The functions on the PCI bus, their links and their error counters, as sysfs shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.platform import PCI_DEVICES
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

MELLANOX = "0x15b3"
GB10_GPU_ID = ("0x10de", "0x2e12")
CLASS_NVME = "0x0108"
CLASS_ETHERNET = "0x0200"
WIDTHS = frozenset({1, 2, 4, 8, 12, 16, 32})  # a link that does not answer shows 0, 63 or 255
LINK_SPEED = re.compile(r"(\d+(?:\.\d+)?) GT/s")
AER_KINDS = ("fatal", "nonfatal", "correctable")
AER_TOTAL = re.compile(r"^TOTAL_ERR_\w+ (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    """One PCI function; ids as sysfs prints them (`0x10de`). `driver` is None where none is bound."""

    address: str
    vendor: str
    device: str
    class_code: str
    driver: str | None

    @property
    def where(self) -> str:
        """Its folder in sysfs."""
        return f"{PCI_DEVICES}/{self.address}"

    @property
    def label(self) -> str:
        """Address and ids: `0004:01:00.0 (144d:a810)`."""
        return f"{self.address} ({self.vendor[2:]}:{self.device[2:]})"


@dataclass(frozen=True)
class Link:
    """A PCIe link: speeds in GT/s, widths in lanes, None for what the kernel does not know at the moment."""

    speed: float | None
    width: int | None
    max_speed: float | None
    max_width: int | None

    @property
    def words(self) -> str:
        """`16 GT/s x4`."""
        speed = "unknown speed" if self.speed is None else f"{self.speed:g} GT/s"
        return f"{speed} x{'?' if self.width is None else self.width}"


def pci_functions(machine: Machine) -> tuple[Function, ...]:
    """Every function on the bus; raises OSError, and Unevaluated when the bus lists nothing."""
    found = []
    for address in machine.names(PCI_DEVICES):
        here = f"{PCI_DEVICES}/{address}"
        vendor, device, class_code = (machine.read(f"{here}/{name}") for name in ("vendor", "device", "class"))
        found.append(Function(address, vendor, device, class_code, machine.link_name(f"{here}/driver")))
    if not found:
        raise Unevaluated(UnknownReason.PRECONDITION, f"no PCI device is listed in {PCI_DEVICES}")
    return tuple(found)


def link_of(machine: Machine, function: Function) -> Link:
    """The link of a function; what it could reach is limited by the bridge above it as well."""
    speed, width = _half(machine, function.where, "current")
    max_speed, max_width = _half(machine, function.where, "max")
    bridge_speed, bridge_width = _half(machine, f"{function.where}/..", "max")
    return Link(speed, width, _least(max_speed, bridge_speed), _least_width(max_width, bridge_width))


def aer_totals(machine: Machine, function: Function) -> dict[str, int] | None:
    """Errors since boot by kind (AER_KINDS), None where the kernel keeps no counters for this function."""
    totals = {}
    for kind in AER_KINDS:
        text = _value(machine, f"{function.where}/aer_dev_{kind}")
        match = None if text is None else AER_TOTAL.search(text)
        if match is not None:
            totals[kind] = int(match[1])
        elif text is not None:
            raise ValueError(f"{function.where}/aer_dev_{kind} has no total")
    return totals or None


def _half(machine: Machine, where: str, which: str) -> tuple[float | None, int | None]:
    speed = LINK_SPEED.match(_value(machine, f"{where}/{which}_link_speed") or "")
    width = _value(machine, f"{where}/{which}_link_width") or ""
    lanes = int(width) if width.isdecimal() else 0
    return (float(speed[1]) if speed else None), (lanes if lanes in WIDTHS else None)


def _value(machine: Machine, path: str) -> str | None:
    # A function that sleeps or is being removed answers with an error of its own: no value, not a broken bus.
    try:
        return machine.read_or_none(path)
    except PermissionError:
        raise
    except OSError:
        return None


def _least(first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return min(known, default=None)


def _least_width(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return min(known, default=None)
