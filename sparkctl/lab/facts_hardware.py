"""What the hardware facet of a simulated node needs beyond what the checks read."""

from sparkctl.lab.devices import functions
from sparkctl.lab.files_proc import A725_CORES
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

CPU = "/sys/devices/system/cpu"
L1_KIB, A725_L2_KIB, X925_L2_KIB = 64, 512, 2048
L3 = ((range(10), "0-9", 8192), (range(10, 20), "10-19", 16384))  # cores, as the kernel lists them, KiB
BUSY_CORE, BUSY_KHZ = 0, 1_204_000  # a sleeping core has no average frequency
SUBSYSTEM_DEVICE = "0x51a7"  # made up
USB_DEVICES = {
    "usb1": ("1d6b", "0002", "Linux 6.17 xhci-hcd", "xHCI Host Controller", "09", "480", "hub"),
    "usb2": ("1d6b", "0003", "Linux 6.17 xhci-hcd", "xHCI Host Controller", "09", "10000", "hub"),
    "1-1": ("ffff", "0001", "Simulated", "Bluetooth adapter (simulated)", "e0", "480", "btusb"),
}


def add_hardware(tree: Tree, node: NodeModel) -> None:
    """Caches, NUMA, page size, ids of the bus, USB devices, and what stands behind sensors and the TPM."""
    _caches(tree, node)
    _memory(tree, node)
    for function in functions(node):
        here = function.folder
        revision = "0xa1" if function.class_code.startswith("0x03") else "0x01"
        tree.put(here, subsystem_vendor=function.vendor, subsystem_device=SUBSYSTEM_DEVICE, revision=revision)
    _usb(tree)
    for path, goal in list(tree.links.items()):
        if path.startswith("/sys/class/hwmon/"):
            parent = goal.split("/")[-3]
            tree.links[f"/sys/{goal.removeprefix('../../')}/device"] = f"../../../{parent}"
    tree.put("/sys/class/tpm/tpm0/device", description="TPM 2.0 Device")
    _bind(tree, "/sys/class/tpm/tpm0/device", "/sys/bus/acpi/drivers/tpm_crb")


def _bind(tree: Tree, device: str, driver: str) -> None:
    tree.links[f"{device}/driver"] = driver
    tree.folders.append(driver)


def _caches(tree: Tree, node: NodeModel) -> None:
    for core in node.cores:
        l3 = next((shared, kib) for cores, shared, kib in L3 if core in cores)
        kept = (
            (1, "Data", L1_KIB, str(core)),
            (1, "Instruction", L1_KIB, str(core)),
            (2, "Unified", A725_L2_KIB if core in A725_CORES else X925_L2_KIB, str(core)),
            (3, "Unified", l3[1], l3[0]),
        )
        for index, (level, kind, kib, shared) in enumerate(kept):
            here = f"{CPU}/cpu{core}/cache/index{index}"
            tree.put(here, level=level, type=kind, size=f"{kib}K", shared_cpu_list=shared)
        tree.put(f"{CPU}/cpufreq/policy{core}", related_cpus=core)
    tree.put(f"{CPU}/cpufreq/policy{BUSY_CORE}", cpuinfo_avg_freq=BUSY_KHZ)


def _memory(tree: Tree, node: NodeModel) -> None:
    tree.put("/proc/self", smaps="00400000-00401000 r-xp 00000000 103:02 42 python3\nKernelPageSize:        4 kB")
    here = "/sys/devices/system/node/node0"
    tree.files[f"{here}/cpulist"] = tree.files[f"{CPU}/online"]
    tree.put(here, meminfo=f"Node 0 MemTotal:       {node.make.memory_kib} kB")


def _usb(tree: Tree) -> None:
    for port, (vendor, product, maker, words, kind, speed, driver) in USB_DEVICES.items():
        here = f"/sys/bus/usb/devices/{port}"
        tree.put(
            here, idVendor=vendor, idProduct=product, manufacturer=maker, product=words, bDeviceClass=kind, speed=speed
        )
        interface = f"{port.removeprefix('usb')}-0:1.0" if port.startswith("usb") else f"{port}:1.0"
        _bind(tree, f"{here}/{interface}", f"/sys/bus/usb/drivers/{driver}")
