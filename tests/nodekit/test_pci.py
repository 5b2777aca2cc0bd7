"""Links on the PCI bus."""

from pathlib import Path

from diag.checks import pcie_link
from diag.nodekit.machine import Machine
from tests.support.trees import build_tree

BRIDGE = "/sys/devices/pci0007:00/0007:00:00.0"
NIC = f"{BRIDGE}/0007:01:00.0"


def link_files(where: str, current: tuple[str, int], most: tuple[str, int]) -> dict[str, str]:
    return {
        f"{where}/current_link_speed": f"{current[0]} GT/s PCIe\n",
        f"{where}/current_link_width": f"{current[1]}\n",
        f"{where}/max_link_speed": f"{most[0]} GT/s PCIe\n",
        f"{where}/max_link_width": f"{most[1]}\n",
    }


def test_a_device_cannot_do_more_than_the_bridge_above_it(tmp_path: Path) -> None:
    files = {
        f"{NIC}/vendor": "0x10ec\n",
        f"{NIC}/device": "0x8127\n",
        f"{NIC}/class": "0x020000\n",
        **link_files(NIC, ("16.0", 1), ("16.0", 2)),
        **link_files(BRIDGE, ("16.0", 1), ("16.0", 1)),
    }
    links = {"/sys/bus/pci/devices/0007:01:00.0": "../../../devices/pci0007:00/0007:00:00.0/0007:01:00.0"}
    build_tree(tmp_path, files=files, links=links)
    finding = pcie_link.evaluate(pcie_link.observe(Machine(str(tmp_path))))
    assert finding.status == "pass"
    assert "16 GT/s x1, it could do 16 GT/s x1" in finding.summary
