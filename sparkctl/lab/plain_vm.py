"""A virtual machine that stands in the inventory of a Spark fleet by mistake: no GB10, no GPU, virtio disk and network.

Made from the tree of a healthy node: what only a GB10 machine has is taken out, and the rest is told in QEMU's words.
The kernel log stays as it was.
"""

import re
from dataclasses import replace

from sparkctl.lab.devices import ETHERNET
from sparkctl.lab.facts_storage import ESP_TYPE, LINUX_TYPE
from sparkctl.lab.makes import Make
from sparkctl.lab.node_model import KERNEL, OLDER_KERNEL, NodeModel
from sparkctl.lab.tree import SUDO, Tree

QEMU = {
    "sys_vendor": "QEMU",
    "product_name": "QEMU Virtual Machine",
    "product_version": "virt-8.2",
    "product_family": "",
    "board_vendor": "QEMU",
    "board_name": "",
    "board_version": "",
    "chassis_vendor": "QEMU",
    "chassis_type": "1",
    "bios_vendor": "Ubuntu distribution of EDK II",
    "bios_version": "2024.02-2ubuntu0.1",
    "bios_date": "10/25/2024",
    "bios_release": "0.0",
}
VIRTIO = "0x1af4"
CPUS = 4
NEOVERSE_N1 = "0xd0c"
MEMORY_KIB = 8_123_456
INTERFACE = "enp0s1"
NETWORK, DISK = "0000:00:01.0", "0000:00:02.0"
DISK_BYTES = 64 * 2**30
ONLY_SPARK = re.compile(
    r"/sys/(?:devices/(?:pci|platform/|virtual/thermal/|system/cpu/cpu(?:[4-9]|1\d|freq)|system/cpu/cpu\d+/cache)"
    r"|bus/(?:pci|usb|platform)/|block/|class/(?:thermal|hwmon|nvme|infiniband|watchdog|tpm|block)/"
    r"|module/(?:nvidia\w*|mlx5_core|r8127|mt7925e|nvme|sbsa_gwdt)/|firmware/(?:efi/esrt|dmi)/|fs/ext4/nvme)"
    r"|/sys/class/net/(?!lo$|docker0$)"
    r"|/etc/(?:dgx-release|fastos-release|apt/sources\.list\.d/(?:dgx|spark)\.sources)|/opt/nvidia/"
    r"|/proc/driver/nvidia/|/usr/local/cuda|/run/udev/data/"
)
"""Paths that such a machine lacks."""
SPARK_PACKAGES = ("dgx-", "nv-", "nvidia-", "libnccl")
STATUS = "/var/lib/dpkg/status"
ONLY_SPARK_TOOLS = (
    "nvidia-smi", "nvme", "ethtool", "fwupdmgr", "tpm2_getcap", "tpm2_readclock", "modinfo", "iw", "lspci", "lsusb",
    "rdma", "devlink", "smartctl", "sfdisk", "lscpu",
)  # fmt: skip
RENAMED = (
    ("nvme0n1p", "vda"), ("nvme0n1", "vda"), (ETHERNET, INTERFACE), ("enP7p1s0", "ens1"),
    (KERNEL, "6.8.0-60-generic"), (OLDER_KERNEL, "6.8.0-59-generic"),
)  # fmt: skip


def plain_make(make: Make) -> Make:
    """The same make with the memory and the disk of the virtual machine."""
    drive = replace(make.drive, model="QEMU HARDDISK", size=DISK_BYTES)
    return replace(make, memory_kib=MEMORY_KIB, dmi=QEMU, filler="", drive=drive)


def become_plain_vm(tree: Tree, node: NodeModel) -> None:
    """Turn the tree of a node into that of a virtual machine under the same name, serial and address."""
    _take_out(tree)
    processors = f"0-{CPUS - 1}"
    tree.put("/proc", cpuinfo="\n".join(_processor(at) for at in range(CPUS)))
    tree.put("/sys/devices/system/cpu", online=processors, present=processors, possible=processors, offline="")
    tree.put("/sys/devices/system/node/node0", cpulist=processors, meminfo=f"Node 0 MemTotal: {MEMORY_KIB} kB")
    tree.folders += ["/sys/class/thermal", "/sys/class/hwmon"]
    _virtio_network(tree, node)
    _virtio_disk(tree, node)


def _take_out(tree: Tree) -> None:
    kept = {path: content for path, content in tree.files.items() if not ONLY_SPARK.match(path)}
    tree.ages = {_renamed(path): age for path, age in tree.ages.items() if path in kept}
    tree.files = {
        _renamed(path): _renamed(content) if isinstance(content, str) else content for path, content in kept.items()
    }
    tree.links = {path: goal for path, goal in tree.links.items() if not ONLY_SPARK.match(path)}
    tree.folders = [path for path in tree.folders if not ONLY_SPARK.match(f"{path}/")]
    tree.commands = [
        entry | {"argv": [*map(_renamed, entry["argv"])], "stdout": _renamed(entry["stdout"])}
        for entry in tree.commands
        if not _is_spark_tool(entry["argv"])
    ]
    paragraphs = str(tree.files[STATUS]).split("\n\n")
    tree.files[STATUS] = "\n\n".join(
        one for one in paragraphs if not one.removeprefix("Package: ").startswith(SPARK_PACKAGES)
    )


def _is_spark_tool(argv: list[str]) -> bool:
    words = argv[len(SUDO) :] if argv[: len(SUDO)] == [*SUDO] else argv
    tool = words[0].rpartition("/")[2]
    if tool == "dpkg-query":
        return words[-1].startswith(SPARK_PACKAGES)
    return tool in ONLY_SPARK_TOOLS or words[1:] == ["-t", "45"]


def _renamed(text: str) -> str:
    for before, after in RENAMED:
        text = text.replace(before, after)
    return text


def _processor(at: int) -> str:
    return (
        f"processor\t: {at}\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd aes crc32 atomics\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: {NEOVERSE_N1}\nCPU revision\t: 1\n"
    )


def _function(tree: Tree, address: str, device: str, class_code: str) -> str:
    """A virtio function on the bus; returns its folder."""
    here = f"/sys/devices/pci0000:00/{address}"
    tree.put(
        here, vendor="0x1af4", device=device, subsystem_vendor="0x1af4", subsystem_device="0x1100", revision="0x01"
    )
    tree.files[f"{here}/class"] = f"{class_code}\n"
    tree.links[f"{here}/driver"] = "/sys/bus/pci/drivers/virtio-pci"
    tree.links[f"/sys/bus/pci/devices/{address}"] = f"../../../devices/pci0000:00/{address}"
    tree.folders.append("/sys/bus/pci/drivers/virtio-pci")
    return here


def _virtio_network(tree: Tree, node: NodeModel) -> None:
    device = _function(tree, NETWORK, "0x1041", "0x020000")
    here = f"{device}/virtio0/net/{INTERFACE}"
    tree.put(
        here, operstate="up", carrier=1, speed=-1, mtu=1500, address=node.mac(1), flags="0x1003", type=1,
        duplex="unknown", carrier_changes=2, addr_assign_type=0, ifindex=2, iflink=2, uevent=f"INTERFACE={INTERFACE}",
    )  # fmt: skip
    tree.put(f"{here}/statistics", rx_packets=67_000, tx_packets=22_000, rx_errors=0, tx_errors=0)
    tree.links[f"{here}/device"] = "../../../virtio0"
    words = f"driver: virtio_net\nversion: 1.0.0\nfirmware-version: \nbus-info: {NETWORK}\n"
    tree.record(("ethtool", "-i", INTERFACE), words)
    tree.links[f"/sys/class/net/{INTERFACE}"] = f"../../{here.removeprefix('/sys/')}"


def _virtio_disk(tree: Tree, node: NodeModel) -> None:
    here = f"{_function(tree, DISK, '0x1042', '0x010000')}/virtio1/block/vda"
    tree.put(here, size=DISK_BYTES // 512, ro=0, removable=0, dev="253:0")
    tree.put(f"{here}/queue", rotational=1, scheduler="[none]", logical_block_size=512, physical_block_size=512)
    tree.put("/sys/fs/ext4/vda2", errors_count=0, lifetime_write_kbytes=812_344)
    esp = (2048, 1_048_576, ESP_TYPE, "vfat", "51A7-0001")
    root = (1_050_624, DISK_BYTES // 512 - 1_052_672, LINUX_TYPE, "ext4", node.filesystem_uuid)
    for number, (start, size, kind, file_system, uuid) in enumerate((esp, root), 1):
        tree.put(f"{here}/vda{number}", partition=number, start=start, size=size, dev=f"253:{number}")
        known = f"E:ID_PART_ENTRY_TYPE={kind}\nE:ID_FS_TYPE={file_system}\nE:ID_FS_UUID={uuid}\n"
        tree.files[f"/run/udev/data/b253:{number}"] = known
        tree.links[f"/sys/class/block/vda{number}"] = f"../../{here.removeprefix('/sys/')}/vda{number}"
    tree.links["/sys/block/vda"] = f"../{here.removeprefix('/sys/')}"
