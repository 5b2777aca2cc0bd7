"""Which firmware the machine and its parts run, by every source that says so."""

from __future__ import annotations

from typing import Any

from diag.nodekit.dmi import DMI, dmi_value, parse_bios_date
from diag.nodekit.esrt import ENTRIES, READ_ALL, esrt
from diag.nodekit.facet import Facet, Look
from diag.nodekit.fwupd import GET_DEVICES, fwupd_devices
from diag.nodekit.nvme import NVME
from diag.nodekit.part_firmware import GPUS, TPM_PROPERTIES, adapters, drives, gpus, tpm
from diag.nodekit.smbios_firmware import TYPE_45, smbios_firmware
from diag.nodekit.words import word

FACET = Facet(title="Firmware", seconds=20.0, elevated=(TYPE_45, READ_ALL, TPM_PROPERTIES))
DROPS = ("smbios", "fwupd")
NET_CLASS = "/sys/class/net"


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    devices = look.at("fwupd", lambda: fwupd_devices(machine), " ".join(GET_DEVICES))
    shifting = {key: device.pop("shifting") for key, device in (devices or {}).items()}
    look.volatile["fwupd_flags"] = {key: flags for key, flags in shifting.items() if flags}
    return {
        "bios": _bios(look),
        "smbios": look.at("smbios", lambda: smbios_firmware(machine), " ".join(TYPE_45)),
        "esrt": look.at("esrt", lambda: esrt(machine), ENTRIES),
        "fwupd": devices,
        "nics": look.at("nics", lambda: adapters(look), NET_CLASS),
        "drives": look.at("drives", lambda: drives(machine), NVME),
        "gpus": look.at("gpus", lambda: gpus(look), GPUS),
        "tpm": look.at("tpm", lambda: tpm(machine), " ".join(TPM_PROPERTIES)),
    }


def _bios(look: Look) -> dict[str, Any]:
    machine = look.machine

    def value(field: str) -> str | None:
        return look.at(f"bios.{field}", lambda: word(dmi_value(machine, f"bios_{field}")), f"{DMI}/bios_{field}")

    def date() -> str | None:
        text = word(dmi_value(machine, "bios_date"))
        return None if text is None else parse_bios_date(text).isoformat()

    return {
        "vendor": value("vendor"),
        "version": value("version"),
        "date": look.at("bios.date", date, f"{DMI}/bios_date"),
        "release": value("release"),
    }
