"""What the drivers facet of a simulated node needs beyond what the checks read."""

import hashlib
import json

from sparkctl.lab.devices import functions
from sparkctl.lab.files_sys import MODULE_VERSIONS
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

BUILT_IN = "pcieport"
OUT_OF_TREE = ("nvidia",)
CUDA = "13.0.2"
WATCHDOG = "sbsa-gwdt"
LIBRARIES = "/usr/lib/aarch64-linux-gnu"


def add_drivers(tree: Tree, node: NodeModel) -> None:
    """Modules and the devices that they hold, the driver's libraries, and a CUDA toolkit."""
    bound = {function.driver for function in functions(node) if function.driver not in (None, BUILT_IN)}
    for driver in sorted(str(driver) for driver in bound):
        _module(tree, node, "pci", driver)
    _module(tree, node, "platform", WATCHDOG)
    tree.links[f"/sys/bus/platform/devices/{WATCHDOG}.0/driver"] = f"/sys/bus/platform/drivers/{WATCHDOG}"
    if node.driver is not None:
        for library in ("libnvidia-ml.so", "libcuda.so"):
            tree.files[f"{LIBRARIES}/{library}.{node.driver}"] = "simulated\n"
            tree.links[f"{LIBRARIES}/{library}.1"] = f"{library}.{node.driver}"
    short = CUDA.rpartition(".")[0]
    tree.files[f"/usr/local/cuda-{short}/version.json"] = (
        json.dumps({"cuda": {"name": "CUDA SDK", "version": CUDA}}, indent=3) + "\n"
    )
    tree.links["/usr/local/cuda"] = f"cuda-{short}"
    tree.folders.append("/var/lib/dkms")


def _module(tree: Tree, node: NodeModel, bus: str, driver: str) -> None:
    """A loaded module as sysfs has it; a driver's name may have a dash where its module has an underscore."""
    module = driver.replace("-", "_")
    here = f"/sys/module/{module}"
    tree.links[f"/sys/bus/{bus}/drivers/{driver}/module"] = here
    version = node.driver if module in OUT_OF_TREE else MODULE_VERSIONS.get(module)
    if version is not None:
        tree.put(here, version=version)
    source = hashlib.sha256(f"{node.kernel}/{module}/{version}".encode()).hexdigest().upper()[:24]
    tree.put(here, srcversion=source, initstate="live", taint="O" if module in OUT_OF_TREE else "")
