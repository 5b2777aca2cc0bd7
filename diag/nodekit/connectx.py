"""The ConnectX-7 of a GB10: two cages, each served by two PCIe functions that show as two interfaces (twins).

Function .0 of both PCI domains belongs to one cage, function .1 to the other. Without a cable the firmware may take
the adapter off the bus; one cable brings exactly the two twins of its cage up.
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.netdev import Interface, interfaces
from diag.nodekit.pci import MELLANOX, Function, Link, link_of, pci_functions
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable

FUNCTIONS = 4


@dataclass(frozen=True)
class Port:
    """A function with its link and its interface (None where no driver made one)."""

    function: Function
    link: Link
    interface: Interface | None

    @property
    def name(self) -> str:
        """The interface's name, else the PCI address."""
        return self.interface.name if self.interface else self.function.address

    @property
    def has_carrier(self) -> bool:
        """Whether a partner answers on the cable."""
        return self.interface is not None and self.interface.carrier is True


@dataclass(frozen=True)
class Cage:
    """One cage and its twins."""

    name: str
    ports: tuple[Port, ...]

    @property
    def live(self) -> tuple[Port, ...]:
        """The twins that have a carrier."""
        return tuple(port for port in self.ports if port.has_carrier)


@dataclass(frozen=True)
class ConnectX:
    """The functions that are on the bus, never none: an absent adapter raises NotApplicable."""

    ports: tuple[Port, ...]

    @property
    def cages(self) -> tuple[Cage, ...]:
        """The ports by cage."""
        by_cage: dict[str, list[Port]] = {}
        for port in self.ports:
            by_cage.setdefault(port.function.address.rpartition(".")[2], []).append(port)
        return tuple(Cage(f"cage {number}", tuple(ports)) for number, ports in sorted(by_cage.items()))

    def require_carrier(self) -> None:
        """Raise NotApplicable when no port has a partner."""
        if not any(port.has_carrier for port in self.ports):
            raise NotApplicable(f"none of {len(self.ports)} ConnectX-7 ports has a cable with a partner")


def observe_connectx(machine: Machine) -> ConnectX:
    """Read the adapter; raises NotApplicable when it is not on the bus, OSError, Unevaluated."""
    functions = [function for function in pci_functions(machine) if function.vendor == MELLANOX]
    if not functions:
        words = ", as is usual while no cable is plugged in" if platform_evidence(machine).is_gb10 else ""
        raise NotApplicable(f"no ConnectX-7 is on the PCI bus{words}")
    by_function = {one.function: one for one in interfaces(machine)}
    return ConnectX(tuple(Port(one, link_of(machine, one), by_function.get(one.address)) for one in functions))
