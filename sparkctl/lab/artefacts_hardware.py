"""The hardware of a simulated node for its bundle: SMBIOS, PCI, USB, drive, processors, firmware history, TPM."""

import json
from collections.abc import Iterator
from uuid import UUID

from sparkctl.lab.devices import Function, functions
from sparkctl.lab.facts_hardware import USB_DEVICES
from sparkctl.lab.facts_storage import ESP_SECTORS, ESP_TYPE, LINUX_TYPE, SECTOR, START
from sparkctl.lab.files_proc import A725_CORES, root_options
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

NVME = "/usr/sbin/nvme"
OFFLINE = ("--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check")
PCRS = 24
ROOT_SIZE = 0.983  # of the drive


def add_hardware_artefacts(tree: Tree, node: NodeModel) -> None:
    """What dmidecode, lspci, lsusb, nvme, smartctl, lscpu, fwupd and the TPM tell."""
    tree.record_for_root(("/usr/sbin/dmidecode",), "\n".join(_smbios(node)))
    _bus(tree, node)
    _usb(tree)
    if node.drive.state == "live":
        _drive(tree, node)
    _layout(tree, node)
    _processors(tree, node)
    tree.record(("fwupdmgr", "get-history", *OFFLINE), json.dumps({"Devices": []}) + "\n")
    for number in range(PCRS):
        tree.put("/sys/class/tpm/tpm0/pcr-sha256", **{str(number): node.material(f"pcr {number}", 32).hex().upper()})
    tree.record(("ras-mc-ctl", "--summary"), "No Memory errors.\n\nNo PCIe AER errors.\n")


def _smbios(node: NodeModel) -> Iterator[str]:
    dmi, filler = node.make.dmi, node.make.filler or "Not Specified"
    yield "# dmidecode 3.5\nGetting SMBIOS data from sysfs.\nSMBIOS 3.3.0 present.\n# simulated\n"
    for number, title, rows in (
        (
            0,
            "BIOS Information",
            {"Vendor": dmi["bios_vendor"], "Version": dmi["bios_version"], "Release Date": dmi["bios_date"]},
        ),
        (
            1,
            "System Information",
            {
                "Manufacturer": dmi["sys_vendor"],
                "Product Name": dmi["product_name"],
                "Serial Number": node.serial,
                "UUID": node.uuid,
            },
        ),
        (
            2,
            "Base Board Information",
            {"Manufacturer": dmi["board_vendor"], "Product Name": dmi["board_name"], "Serial Number": filler},
        ),
        (3, "Chassis Information", {"Type": "Mini Tower", "Serial Number": node.make.filler or node.serial}),
        (
            17,
            "Memory Device",
            {"Size": "128 GB", "Type": "LPDDR5", "Speed": "8533 MT/s", "Serial Number": "Not Specified"},
        ),
    ):
        fields = "".join(f"\t{name}: {value}\n" for name, value in rows.items())
        yield f"Handle 0x{number:04X}, DMI type {number}, 27 bytes\n{title}\n{fields}"


def _bus(tree: Tree, node: NodeModel) -> None:
    found = functions(node)
    tree.record(
        ("lspci", "-t", "-v"), "".join(f"-[{one.address[:7]}]-{one.address[8:]}  {one.words}\n" for one in found)
    )
    tree.record_for_root(("/usr/bin/lspci", "-D", "-nn", "-vvv"), "\n".join(map(_capabilities, found)))


def _capabilities(function: Function) -> str:
    lines = [f"{function.address} {function.words} [{function.vendor[2:]}:{function.device[2:]}]"]
    if function.link and function.best:
        lines.append("\tCapabilities: [40] Express (v2) Endpoint")
        lines.append(f"\t\tLnkCap: Speed {function.best[0]}GT/s, Width x{function.best[1]}")
        lines.append(f"\t\tLnkSta: Speed {function.link[0]}GT/s, Width x{function.link[1]}")
    if function.driver:
        lines.append(f"\tKernel driver in use: {function.driver}")
    return "\n".join(lines) + "\n"


def _usb(tree: Tree) -> None:
    rows = [f"/:  {port}, Driver={driver}, {speed}M\n" for port, (*_, speed, driver) in USB_DEVICES.items()]
    tree.record(("lsusb", "-t"), "".join(rows))
    blocks = [
        f"Bus 001 Device {at:03}: ID {vendor}:{product} {maker}\n  iProduct {words}\n"
        for at, (vendor, product, maker, words, *_) in enumerate(USB_DEVICES.values(), 1)
    ]
    tree.record(("lsusb", "-v"), "\n".join(blocks))


def _drive(tree: Tree, node: NodeModel) -> None:
    drive, health, serial = node.make.drive, node.drive, node.drive_serial
    for words, answer in (
        (
            "id-ctrl",
            {
                "vid": int(drive.vendor, 16),
                "sn": serial,
                "mn": drive.model,
                "fr": drive.firmware,
                "tnvmcap": drive.size,
            },
        ),
        ("error-log", {"errors": []}),
        ("fw-log", {"nvme0": {"Active Firmware Slot (afi)": 1, "Firmware Rev Slot 1": drive.firmware}}),
        ("self-test-log", {"Current Device Self-Test Operation": 0, "List of Valid Reports": []}),
    ):
        tree.record_for_root((NVME, words, "-o", "json", "/dev/nvme0"), json.dumps(answer, indent=2) + "\n")
    smart = {
        "model_name": drive.model, "serial_number": serial, "firmware_version": drive.firmware,
        "smart_status": {"passed": health.critical_warning == 0}, "temperature": {"current": health.celsius},
        "nvme_smart_health_information_log": {"available_spare": health.spare, "percentage_used": health.used},
    }  # fmt: skip
    tree.record_for_root(("/usr/sbin/smartctl", "--json", "--xall", "/dev/nvme0"), json.dumps(smart, indent=2) + "\n")
    parts = [
        (1, START, ESP_SECTORS, ESP_TYPE),
        (2, START + ESP_SECTORS, drive.size // SECTOR - 2 * START - ESP_SECTORS, LINUX_TYPE),
    ]
    table = {
        "label": "gpt",
        "id": str(UUID(bytes=node.material("table", 16), version=4)).upper(),
        "device": "/dev/nvme0n1",
        "partitions": [
            {
                "node": f"/dev/nvme0n1p{number}", "start": start, "size": size, "type": kind.upper(),
                "uuid": str(UUID(bytes=node.material(f"partition {number}", 16), version=4)).upper(),
            }
            for number, start, size, kind in parts
        ],
    }  # fmt: skip
    tree.record_for_root(
        ("/usr/sbin/sfdisk", "--json", "/dev/nvme0n1"), json.dumps({"partitiontable": table}, indent=3) + "\n"
    )


def _layout(tree: Tree, node: NodeModel) -> None:
    root = {"target": "/", "source": "/dev/nvme0n1p2", "fstype": "ext4", "options": root_options(node)}
    esp = {"target": "/boot/efi", "source": "/dev/nvme0n1p1", "fstype": "vfat", "options": "rw,relatime"}
    tree.record(("findmnt", "-J"), json.dumps({"filesystems": [root | {"children": [esp]}]}) + "\n")
    size = int(node.make.drive.size * ROOT_SIZE)
    used = int(size * node.root.used_percent / 100)
    tree.record(
        ("df", "--local", "--block-size=1", "--print-type"),
        "Filesystem     Type 1B-blocks Used Available Use% Mounted on\n"
        f"/dev/nvme0n1p2 ext4 {size} {used} {size - used} {node.root.used_percent:.0f}% /\n",
    )


def _processors(tree: Tree, node: NodeModel) -> None:
    rows = {
        "Architecture:": "aarch64",
        "CPU(s):": str(len(node.cores)),
        "Vendor ID:": "ARM",
        "Model name:": "Cortex-X925",
    }
    tree.record(
        ("lscpu", "-J"), json.dumps({"lscpu": [{"field": name, "data": data} for name, data in rows.items()]}) + "\n"
    )
    lines = [
        f"{core:>3}    0      0 {core:>4} {'Cortex-A725' if core in A725_CORES else 'Cortex-X925'}   yes\n"
        for core in node.cores
    ]
    tree.record(("lscpu", "--all", "--extended"), "CPU NODE SOCKET CORE MODELNAME ONLINE\n" + "".join(lines))
