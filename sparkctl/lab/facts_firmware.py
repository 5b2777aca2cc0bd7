"""What the firmware facet of a simulated node needs beyond what the checks read."""

import json
import uuid
from dataclasses import dataclass

from sparkctl.lab.makes import Make
from sparkctl.lab.node_model import BoardFirmware, NodeModel
from sparkctl.lab.tree import Tree

ENTRIES = "/sys/firmware/efi/esrt/entries"
ENTRY_FILES = (
    "fw_class", "fw_type", "fw_version", "lowest_supported_fw_version", "capsule_flags", "last_attempt_version",
    "last_attempt_status",
)  # fmt: skip
READ_ALL = ("/usr/bin/grep", "-r", ".", ENTRIES)
TYPE_45 = ("/usr/sbin/dmidecode", "-t", "45")
TPM_CLOCK = ("/usr/bin/tpm2_readclock",)
TPM_PROPERTIES = ("/usr/bin/tpm2_getcap", "properties-fixed")
GET_DEVICES = (
    "fwupdmgr", "get-devices", "--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check",
)  # fmt: skip
GUIDS = {
    ("asus", "Embedded Controller"): "c3cccaf0-9a3e-4ee2-992e-9f0cf9b55fa0",
    ("asus", "UEFI Device Firmware"): "f1392323-3920-4598-a932-ef06360cf403",
}
"""Published ones; of other makes they are invented."""
FLAGS = ("internal", "updatable", "require-ac", "supported", "needs-reboot", "usable-during-update", "signed-payload")
NAMES = ("Embedded Controller", "UEFI Device Firmware", "USB Power Delivery Controller")
ESRT_FILES = tuple(f"{ENTRIES}/entry{at}/{file}" for at in range(len(NAMES)) for file in ENTRY_FILES)
"""Files that only root may read."""
UNNAMED = ("SROOT", "SSPM", "HFRP", "CPUEB", "SPM")  # components of a founders board whose version says nothing
CONTROLLERS = ("PD0", "PD1")  # of USB power delivery, each with a line `PD Firmware` of its own
TPM_VERSION = (0x00070002, 0x00010000)


@dataclass(frozen=True)
class Capsule:
    """A resource that takes capsules: `type` 1 is the system's firmware, 2 a device's."""

    name: str
    guid: str
    version: str
    type: int

    @property
    def number(self) -> int:
        """The version as the table of the firmware holds it."""
        return int(self.version, 0)


def capsules(
    make: Make, board: BoardFirmware | None = None, flashed: tuple[tuple[str, str], ...] = ()
) -> tuple[Capsule, ...]:
    """In the order of the table; a maker that numbers firmware in its own way shows its own numbers.

    `flashed` are versions by GUID that acts brought.
    """
    board = board or BoardFirmware()
    controller, uefi = make.firmware or (packed(board.controller), packed(board.socfw))
    return tuple(
        Capsule(name, guid, dict(flashed).get(guid, version), 1 if name.startswith("UEFI") else 2)
        for name, version in zip(NAMES, (controller, uefi, packed(board.usb_pd)), strict=True)
        for guid in (guid_of(make, name),)
    )


def packed(version: str) -> str:
    """`0x03000508` for `3.5.8`: numbers of 8, 16 and 8 bits."""
    major, minor, patch = (int(number) for number in version.split("."))
    return f"0x{major << 24 | minor << 8 | patch:08x}"


def guid_of(make: Make, name: str) -> str:
    """The GUID of a make's firmware."""
    return GUIDS.get((make.name, name)) or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{make.name}.example"))


def add_firmware(tree: Tree, node: NodeModel) -> None:
    """The tables of the firmware, what fwupd knows, and the TPM's properties."""
    _esrt(tree, node)
    _type_45(tree, node)
    for argv in (GET_DEVICES, GET_DEVICES[:3]):
        tree.record(argv, json.dumps({"Devices": devices(node)}) + "\n")
    high, low = TPM_VERSION
    tree.record_for_root(
        TPM_PROPERTIES,
        'TPM2_PT_FAMILY_INDICATOR:\n  raw: 0x322E3000\n  value: "2.0"\nTPM2_PT_MANUFACTURER:\n  raw: 0x53494D00\n'
        f'  value: "SIM"\nTPM2_PT_FIRMWARE_VERSION_1:\n  raw: 0x{high:X}\n'
        f"TPM2_PT_FIRMWARE_VERSION_2:\n  raw: 0x{low:X}\n",
    )
    _tpm_clock(tree, node)


def _tpm_clock(tree: Tree, node: NodeModel) -> None:
    """The TPM had power since this boot began, and before that for some days at each of its resets."""
    time_ms, resets = round(node.uptime * 1000), 20 + node.jitter("tpm", 60)
    tree.record_for_root(
        TPM_CLOCK,
        f"time: {time_ms}\nclock_info:\n  clock: {time_ms + resets * 500_000_000}\n  reset_count: {resets}\n"
        "  restart_count: 0\n  safe: yes\n",
    )


def _esrt(tree: Tree, node: NodeModel) -> None:
    lines = []
    for at, capsule in enumerate(capsules(node.make, node.firmware, node.flashed)):
        here = f"{ENTRIES}/entry{at}"
        values = (capsule.guid, capsule.type, capsule.number, 0, "0x0", capsule.number, 0)
        for file, value in zip(ENTRY_FILES, values, strict=True):
            tree.put(here, **{file: value})
            lines.append(f"{here}/{file}:{value}\n")
    tree.record_for_root(READ_ALL, "".join(lines))


def _type_45(tree: Tree, node: NodeModel) -> None:
    dmi, absent = node.make.dmi, "Not Specified"
    components = [
        ("BIOS Firmware", dmi["bios_version"], guid_of(node.make, "UEFI Device Firmware"), dmi["bios_date"]),
        *((name, "1", absent, absent) for name in UNNAMED),
        *((name, version, absent, absent) for name, version in board_components(node.firmware)),
    ]
    texts = [
        f"Handle 0x{0x60 + at:04X}, DMI type 45, 24 bytes\nFirmware Inventory Information\n"
        f"\tFirmware Component Name: {name}\n\tFirmware Version: {version}\n\tFirmware ID: {guid}\n"
        f"\tRelease Date: {date}\n\tManufacturer: {dmi['bios_vendor']}\n"
        "\tLowest Supported Firmware Version: Not Specified\n\tImage Size: Unknown\n\tCharacteristics:\n"
        "\t\tUpdatable: Yes\n\t\tWrite-Protect: No\n\tState: Enabled\n\tAssociated Components: 0\n"
        for at, (name, version, guid, date) in enumerate(components)
    ]
    tree.files["/sys/firmware/dmi/tables/DMI"] = b"simulated"
    tree.record_for_root(
        TYPE_45,
        "# dmidecode 3.5\nGetting SMBIOS data from sysfs.\nSMBIOS 3.3.0 present.\n\n" + "\n".join(texts),
    )


def board_components(board: BoardFirmware) -> list[tuple[str, str]]:
    """Names and versions in the form that owners of real machines published (2026)."""
    delivery = board.usb_pd.removeprefix("0.")
    return [
        ("FLASH", f"SBP:R:{board.socfw}"),
        ("EC Firmware", board.controller),
        *(("PD Firmware", f"{controller} FW1: {delivery}, FW2: 4.10") for controller in CONTROLLERS),
        ("TPM", "SOCTS"),
    ]


def devices(node: NodeModel) -> list[dict[str, object]]:
    """The devices as fwupd lists them."""
    vendor = node.make.firmware_vendor
    found: list[dict[str, object]] = [
        {
            "Name": capsule.name,
            "DeviceId": uuid.uuid5(uuid.NAMESPACE_DNS, capsule.guid).hex,
            "Plugin": "uefi_capsule",
            "Guid": [capsule.guid],
            "Vendor": vendor,
            "Version": capsule.version,
            "VersionFormat": "hex" if capsule.version.startswith("0x") else "number",
            "UpdateState": 2,
            "Flags": list(FLAGS),
        }
        for capsule in capsules(node.make, node.firmware, node.flashed)
    ]
    if node.drive.state != "gone":
        drive = node.make.drive
        found.append({"Name": drive.model, "Plugin": "nvme", "Version": drive.firmware, "VersionFormat": "plain"})
    return [
        *found,
        {"Name": "KEK CA", "Plugin": "uefi_kek", "Vendor": "Microsoft", "Version": "2023", "VersionFormat": "number"},
        {"Name": "UEFI CA", "Plugin": "uefi_db", "Vendor": "Microsoft", "Version": "2023", "VersionFormat": "number"},
        {"Name": "SBAT", "Plugin": "uefi_sbat", "Version": "1.5.4", "VersionFormat": "triplet"},
    ]
