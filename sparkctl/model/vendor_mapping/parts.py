"""What several tools say in the same way: who the machine is, its GPUs, PCI functions, adapters and disks."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sparkctl.model.vendor_mapping.claims import Part, Said, is_filler
from sparkctl.model.vendor_mapping.outline import (
    FLAG,
    LOOSE,
    NUMBER,
    TEXT,
    WHOLE,
    Each,
    Leaf,
    Outline,
    Rows,
    Type,
    left,
)

MIB = 2**20
SMBIOS_SERIAL = "smbios.product_serial"
DMI_NAMES = ("sys_vendor", "product_name", "product_version", "board_vendor", "board_name", "board_version")
SERIALS = ("product_serial", "product_uuid", "board_serial", "chassis_serial")
OS_RELEASE = {
    "ID": "id", "ID_LIKE": "like", "VERSION_ID": "version_id", "VERSION": "version", "VERSION_CODENAME": "codename",
    "PRETTY_NAME": "pretty_name",
}  # fmt: skip
NO_ADDRESS = "there is no PCI address to know it by"
TRANSPORTS = {"sata": "ata"}  # lsblk's name for what udev and our storage facet call ata
_BUS_ID = re.compile(r"([0-9A-Fa-f]{4,8}):([0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])")
_IDS = re.compile(r"\[?([0-9a-f]{4}):([0-9a-f]{4})\]?")
_REVISION = re.compile(r"\(rev ([0-9a-f]{2})\)")
_WITH_BOARD = re.compile(r"(\S+) \((\S+)\)")  # as mlx5 writes it: version, and the board that the image is for
_UNAME = re.compile(r"Linux ([A-Za-z0-9][A-Za-z0-9.-]*) (\S+) .*")
_WWID = re.compile(r"(eui|nvme|uuid)\..+")

DMI: Mapping[str, Outline] = dict.fromkeys((*DMI_NAMES, *SERIALS, "bios_vendor", "bios_version", "bios_date"), TEXT)
HEADER: Mapping[str, Outline] = {
    "collected_at_utc": left("the moment of the document, not a fact of the machine", Type.TEXT),
    "asset_id": Leaf(Type.TEXT, "it is a serial only where asset_id_source is smbios_serial"),
    "asset_id_source": left("it says what asset_id is; with and without root it differs", Type.TEXT),
    "platform_dmi": DMI,
    "sources": left("how the tool came by it"),
}
GPU: Mapping[str, Outline] = {
    "index": left("a number by order; ours are by PCI address", Type.LOOSE),
    "pci_bus_id": left("it is the name under which the rest is kept", Type.TEXT),
    "memory_total_mib": LOOSE,
    "inforom": left("which of several inforom versions it is, is not told"),
    **dict.fromkeys(("uuid", "name", "driver_version", "vbios_version", "gsp_firmware_version"), TEXT),
}
PCI: Mapping[str, Outline] = {
    "pci_addr": left("it is the name under which the rest is kept", Type.TEXT),
    "class_text": left("the class without its programming interface, which ours has", Type.TEXT),
    "vendor_device_id": TEXT,
    "subsystem_vendor_device_id": TEXT,
    "description": left("words of the ids' database; only a revision that stands alone is taken", Type.TEXT),
    "kernel_driver_in_use": TEXT,
    "kernel_modules": left("modules that could hold it, not the one that does"),
}
NIC: Mapping[str, Outline] = {
    "ifname": left("it is the name under which the rest is kept", Type.TEXT),
    "is_virtual": left("our kinds are finer", Type.FLAG),
    "is_wireless": left("our kinds are finer; only a wireless one is taken", Type.FLAG),
    "mac": TEXT,
    "mtu": WHOLE,
    "operstate": left("volatile, and ours tells apart what is wanted and what is", Type.TEXT),
    "speed_mbps": NUMBER,
    "driver": TEXT,
    "driver_version": left("for most drivers that is the kernel's release", Type.TEXT),
    "firmware_version": TEXT,
    "bus_info": TEXT,
    "pci_device": left("bus_info says the same", Type.TEXT),
    "pci_vendor_id": TEXT,
    "pci_device_id": TEXT,
}
CHILD: Mapping[str, Outline] = {
    "name": left("it is the name under which the rest is kept", Type.TEXT),
    "type": left("only partitions are taken", Type.TEXT),
    "size": WHOLE,
    "fstype": TEXT,
    "mountpoint": left("ours is by mount point, with source and options"),
    "mountpoints": left("ours is by mount point, with source and options"),
    "children": left("layers are by name and members in ours"),
}
DISK: Mapping[str, Outline] = {
    "name": left("it is the name under which the rest is kept", Type.TEXT),
    "type": left("only whole disks are taken", Type.TEXT),
    "size_bytes": WHOLE,
    "rota": FLAG,
    "children": Rows(CHILD),
    "driver": left("the driver of a disk is that of its controller, by PCI address in ours", Type.TEXT),
    "driver_sysfs_path": left("the driver of a disk is that of its controller, by PCI address in ours", Type.TEXT),
    **dict.fromkeys(("model", "serial", "tran", "wwn"), TEXT),
}
OS_RELEASE_OUTLINE = Each(TEXT)


def header(data: Part) -> Iterator[Said]:
    """What most reports begin with: an asset id that may be a serial, and SMBIOS."""
    yield from dmi(data.part("platform_dmi"))
    serial = data.text("asset_id")
    if data.value.get("asset_id_source") == "smbios_serial":
        yield from _identifier(data, "asset_id", SMBIOS_SERIAL, serial)
        yield from _serial(data, "asset_id", serial, SMBIOS_SERIAL)


def dmi(part: Part) -> Iterator[Said]:
    """SMBIOS: maker and model, serials as far as the rights went, and the BIOS."""
    for name in DMI_NAMES:
        yield from part.take(name, ("identity", "smbios", name))
    for name in SERIALS:
        yield from _identifier(part, name, f"smbios.{name}", part.text(name))
    yield from _serial(part, "product_serial", part.text("product_serial"), SMBIOS_SERIAL)
    for name in ("vendor", "version"):
        yield from part.take(f"bios_{name}", ("firmware", "bios", name))
    date = part.text("bios_date")
    if date is not None:
        yield from _bios_date(part, date)


def _bios_date(part: Part, text: str) -> Iterator[Said]:
    """SMBIOS writes month/day/year."""
    with suppress(ValueError):
        month, day, year = (int(number) for number in text.split("/"))
        yield from part.claim("bios_date", ("firmware", "bios", "date"), dt.date(year, month, day).isoformat())
        return
    yield from part.leave("it is no month/day/year", "bios_date")


def _identifier(part: Part, name: str, source: str, value: str | None) -> Iterator[Said]:
    if value is not None and is_filler(value):
        yield from part.leave("a filler that identifies nothing", name)
    else:
        yield from part.claim(name, ("identity", "identifiers", source, "value"), value)


def _serial(part: Part, name: str, value: str | None, source: str) -> Iterator[Said]:
    if value is not None and not is_filler(value):
        yield from part.claim(name, ("identity", "serial"), value)
        yield from part.claim(name, ("identity", "serial_source"), source)


def release_serial(part: Part, name: str) -> Iterator[Said]:
    """The serial that the factory image wrote. SMBIOS decides which one a node goes by, so it is no claim on that."""
    yield from _identifier(part, name, "dgx_release.serial", part.text(name))


def address(text: str | None) -> str | None:
    """A PCI address as sysfs writes it: nvidia-smi has a domain of eight digits in capitals."""
    match = _BUS_ID.fullmatch(text or "")
    return f"{int(match[1], 16):04x}:{match[2].lower()}" if match else None


def gpus(data: Part) -> Iterator[Said]:
    """Rows of nvidia-smi; MiB become bytes."""
    for row in data.rows("gpu"):
        at = address(row.text("pci_bus_id"))
        if at is None:
            yield from row.leave(NO_ADDRESS)
            continue
        yield from row.take("uuid", ("identity", "gpus", at))
        yield from row.take("name", ("hardware", "gpus", at, "name"))
        yield from row.take("driver_version", ("drivers", "nvidia", "version"))
        yield from row.take("vbios_version", ("firmware", "gpus", at, "vbios"))
        yield from row.take("gsp_firmware_version", ("firmware", "gpus", at, "gsp"))
        yield from row.claim(
            "memory_total_mib", ("hardware", "gpus", at, "memory_total_bytes"), _times(row, "memory_total_mib", MIB)
        )


def _times(row: Part, name: str, scale: int) -> int | None:
    """A whole number of larger units, which may stand in a text, in the smaller unit."""
    value = row.value.get(name)
    text = clean_number(row.text(name) if isinstance(value, str) else value)
    return None if text is None else text * scale


def clean_number(value: Any) -> int | None:
    """A whole number, also out of a text; None for anything else, and for what is negative or absurdly long."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        return int(value)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    return int(value) if whole and value >= 0 else None


def pci(data: Part) -> Iterator[Said]:
    """Rows of lspci."""
    for row in data.rows("pci"):
        at = address(row.text("pci_addr"))
        if at is None:
            yield from row.leave(NO_ADDRESS)
            continue
        here = ("hardware", "pci", at)
        for name, prefix in (("vendor_device_id", ""), ("subsystem_vendor_device_id", "subsystem_")):
            ids = _IDS.fullmatch((row.text(name) or "").strip("[]"))
            if ids is not None:
                yield from row.claim(name, (*here, f"{prefix}vendor"), f"0x{ids[1]}")
                yield from row.claim(name, (*here, f"{prefix}device"), f"0x{ids[2]}")
        yield from row.take("kernel_driver_in_use", (*here, "driver"))
        revision = _REVISION.fullmatch(row.text("description") or "")
        if revision is not None:
            yield from row.claim("description", (*here, "revision"), f"0x{revision[1]}")


def nics(data: Part, name: str) -> Iterator[Said]:
    """Interfaces with hardware behind them; the others come and go with containers."""
    for row in data.rows(name):
        interface = row.text("ifname")
        if interface is None:
            yield from row.leave("it has no name")
        elif row.value.get("is_virtual"):
            yield from row.leave("an interface without hardware comes and goes")
        else:
            yield from _nic(row, ("network", "interfaces", interface))


def _nic(row: Part, here: tuple[str, ...]) -> Iterator[Said]:
    device, mac, speed = row.text("bus_info"), row.text("mac"), row.value.get("speed_mbps")
    if mac is not None and mac.strip("0:"):
        yield from row.claim("mac", (*here, "mac"), mac.lower())
    yield from row.take("mtu", (*here, "mtu"))
    yield from row.take("driver", (*here, "driver"))
    yield from row.claim("bus_info", (*here, "device"), device)
    if row.value.get("is_wireless"):
        yield from row.claim("is_wireless", (*here, "kind"), "wifi")
    if speed is not None and speed <= 0:
        yield from row.leave("a speed of no link", "speed_mbps")
    else:
        yield from row.take("speed_mbps", (*here, "speed_mbit_s"))
    on_bus = address(device)
    for name, field in (("pci_vendor_id", "vendor"), ("pci_device_id", "device")):
        if on_bus is not None:
            yield from row.take(name, ("hardware", "pci", on_bus, field))
        else:
            yield from row.leave(NO_ADDRESS, name)
    yield from _adapter_firmware(row, device)


def _adapter_firmware(row: Part, device: str | None) -> Iterator[Said]:
    version = row.text("firmware_version")
    if version is None or device is None:
        return
    match = _WITH_BOARD.fullmatch(version)
    here = ("firmware", "nics", device)
    yield from row.claim("firmware_version", (*here, "version"), match[1] if match else version)
    if match is not None:
        yield from row.claim("firmware_version", (*here, "board_id"), match[2])


def disks(data: Part) -> Iterator[Said]:
    """Rows of lsblk that are whole disks, and their partitions."""
    for row in data.rows("storage"):
        disk = row.text("name")
        if disk is None or row.value.get("type") != "disk":
            yield from row.leave("it is no whole disk")
            continue
        here = ("storage", "disks", disk)
        for name, field in (("size_bytes",) * 2, ("model",) * 2, ("serial",) * 2, ("rota", "rotational")):
            yield from row.take(name, (*here, field))
        transport = row.text("tran")
        yield from row.claim("tran", (*here, "transport"), TRANSPORTS.get(transport or "", transport))
        wwn = row.text("wwn")
        if wwn is not None and not _WWID.fullmatch(wwn):
            yield from row.leave("it is written otherwise than the kernel writes it", "wwn")
        else:
            yield from row.claim("wwn", (*here, "wwid"), wwn)
        for child in row.rows("children"):
            yield from _partition(child, here)


def _partition(child: Part, disk: tuple[str, ...]) -> Iterator[Said]:
    name = child.text("name")
    if name is None or child.value.get("type") != "part":
        yield from child.leave("it is no partition")
        return
    here = (*disk, "partitions", name)
    yield from child.take("size", (*here, "size_bytes"))
    yield from child.take("fstype", (*here, "content"))


def os_release(part: Part) -> Iterator[Said]:
    """/etc/os-release as key and value."""
    for key, field in OS_RELEASE.items():
        yield from part.take(key, ("os", "distribution", field))


def uname(part: Part) -> Iterator[Said]:
    """The running kernel, and the host's name that `uname -a` prints after the system's."""
    yield from part.take("uname_r", ("os", "kernel", "running"))
    match = _UNAME.fullmatch(part.text("uname_a") or "")
    if match is not None and match[2] == part.text("uname_r"):
        yield from part.claim("uname_a", ("identity", "hostname"), match[1])
