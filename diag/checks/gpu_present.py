"""Is the GPU of the GB10 on the PCI bus?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.nvidia_smi import require_gb10
from diag.nodekit.pci import GB10_GPU_ID, Function, pci_functions
from diag.nodekit.platform import PCI_DEVICES, Evidence, platform_evidence
from diag.nodekit.vocabulary import Status

CHECK = Check(title="GPU on the PCI bus", required=True)
CLASS_DISPLAY = "0x03"
POWER_OFF = (
    "Shut down, cut the power at the wall for a minute and boot again; a GPU that stays away is a case for the maker"
)


@dataclass(frozen=True)
class Bus:
    """The PCI functions, and whether this is a GB10."""

    functions: tuple[Function, ...]
    evidence: Evidence


def observe(machine: Machine) -> Bus:
    evidence = platform_evidence(machine)
    require_gb10(evidence)
    return Bus(pci_functions(machine), evidence)


def evaluate(seen: Bus) -> Finding:
    gpu = next((one for one in seen.functions if (one.vendor, one.device) == GB10_GPU_ID), None)
    if gpu is None:
        return Finding(
            Status.FAIL,
            f"The GPU 10de:2e12 is not among {len(seen.functions)} PCI functions of what else says it is a GB10",
            value=0,
            unit="1",
            locator=PCI_DEVICES,
            action=POWER_OFF,
        )
    readings = (Reading("class", gpu.class_code[:120]), Reading("driver", (gpu.driver or "none")[:120]))
    if not gpu.class_code.startswith(CLASS_DISPLAY):
        return Finding(
            Status.FAIL,
            f"The GPU at {gpu.address} answers with class {gpu.class_code} instead of that of a display controller",
            value=gpu.class_code[:120],
            locator=f"{gpu.where}/class",
            action=POWER_OFF,
            readings=readings,
        )
    return Finding(
        Status.PASS,
        f"GPU {gpu.label} is on the bus, driver {gpu.driver or 'none'}",
        value=1,
        unit="1",
        locator=PCI_DEVICES,
        readings=readings,
    )
