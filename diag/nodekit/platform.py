"""Is this a GB10 machine? Decided by what the hardware and the factory image prove, never by a product name alone.

Makers write what they like into SMBIOS (`GX10`, `30KL0005GF`, `MS-C931`), so a name only counts beside another clue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.processors import CPUINFO, GB10_PARTS, online_processors
from diag.nodekit.release import DGX_RELEASE, release_values

PCI_DEVICES = "/sys/bus/pci/devices"
DMI = "/sys/class/dmi/id"
NVIDIA = "0x10de"
GB10_GPU = "0x2e12"
OTHER_SOC_GPUS = frozenset({"0x2e03", "0x2e06"})  # N1X: the same cores, another product
# SMBIOS vendor and product of machines with a GB10, as their owners published them (2025-2026); compared without
# regard to case and repeated blanks, because one maker writes two.
GB10_PRODUCTS = (
    ("nvidia", "nvidia_dgx_spark"),
    ("asustek computer inc.", "gx10"),
    ("dell inc.", "dell pro max with gb10"),
    ("lenovo", "30kl"),
    ("msi", "ms-c931"),
    ("gigabyte", "ai top atom"),
    ("hp", "hp zgx nano"),
)


@dataclass(frozen=True)
class Clue:
    """What one source says: True for a GB10, False against, None for nothing readable. `strong` decides alone."""

    says: bool | None
    words: str
    locator: str
    strong: bool = False


@dataclass(frozen=True)
class Evidence:
    """The clues, and what follows from them."""

    clues: tuple[Clue, ...]
    is_gb10: bool | None

    @property
    def words(self) -> str:
        """What speaks for the answer, for a summary."""
        return "; ".join(clue.words for clue in self.clues if clue.says is not None) or "nothing could be read"


def platform_evidence(machine: Machine) -> Evidence:
    """Look at the PCI bus, the release file, SMBIOS and the processors; raises nothing."""
    pci, release, product, cores = (
        _tried(look, machine, where)
        for look, where in (
            (_pci, PCI_DEVICES), (_release, DGX_RELEASE), (_product, DMI), (_cores, CPUINFO),
        )
    )  # fmt: skip
    clues = (pci, release, product, cores)
    return Evidence(clues, _conclude(pci, release, product, cores))


def _conclude(pci: Clue, release: Clue, product: Clue, cores: Clue) -> bool | None:
    if pci.says:
        return True
    if pci.strong:
        return False
    supporting = sum(clue.says is True for clue in (release, product, cores))
    if release.says and cores.says is not False:
        return True
    if supporting >= 2:
        return True
    if supporting == 0 and (pci.says is False or cores.says is False):
        return False
    return None


def _tried(look: Callable[[Machine], Clue], machine: Machine, where: str) -> Clue:
    try:
        return look(machine)
    except (OSError, ValueError):
        return Clue(None, f"{where} cannot be read", where)


def _pci(machine: Machine) -> Clue:
    """The GB10's GPU, 10de:2e12, or proof by a full listing that it is not there."""
    addresses = machine.names(PCI_DEVICES)
    for address in addresses:
        if machine.read(f"{PCI_DEVICES}/{address}/vendor") != NVIDIA:
            continue
        device = machine.read(f"{PCI_DEVICES}/{address}/device")
        int(device, 16)  # raises for what is no id: then nothing is proven
        if device == GB10_GPU:
            return Clue(True, f"PCI 10de:2e12 at {address}", PCI_DEVICES, strong=True)
        if device in OTHER_SOC_GPUS:
            return Clue(False, f"PCI 10de:{device[2:]} at {address}, another chip", PCI_DEVICES, strong=True)
    if not addresses:
        return Clue(None, "no PCI device is listed", PCI_DEVICES)
    return Clue(False, f"none of {len(addresses)} PCI devices is 10de:2e12", PCI_DEVICES)


def _release(machine: Machine) -> Clue:
    text = machine.read_or_none(DGX_RELEASE)
    if text is None:
        return Clue(None, f"no {DGX_RELEASE}", DGX_RELEASE)
    name = release_values(text).get("DGX_NAME", "")
    if not name:
        return Clue(None, f"{DGX_RELEASE} names no DGX_NAME", DGX_RELEASE)
    return Clue(name.lower() == "dgx spark", f'DGX_NAME is "{name}"', DGX_RELEASE)


def _product(machine: Machine) -> Clue:
    vendor, product = (
        " ".join((machine.read_or_none(f"{DMI}/{name}") or "").split()) for name in ("sys_vendor", "product_name")
    )
    if not product:
        return Clue(None, "SMBIOS names no product", DMI)
    known = any(vendor.lower() == maker and product.lower().startswith(model) for maker, model in GB10_PRODUCTS)
    return Clue(True if known else None, f'SMBIOS says "{vendor}" "{product}"', DMI)


def _cores(machine: Machine) -> Clue:
    parts = online_processors(machine).parts
    if all(parts.get(part) for part in GB10_PARTS):
        return Clue(True, "Cortex-X925 and Cortex-A725 cores", CPUINFO)
    return Clue(False, "other processor cores than a GB10's", CPUINFO)
