"""Who the machine is, by every source that says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

from diag.nodekit.dmi import DMI, dmi_value
from diag.nodekit.facet import Facet, Look
from diag.nodekit.hostkeys import SSH_FOLDER, host_keys
from diag.nodekit.identifiers import SERIAL_NAMES, Identifier, cat, release_identifier, smbios_identifier
from diag.nodekit.machine import Machine
from diag.nodekit.netdev import NET
from diag.nodekit.nvme import NVME
from diag.nodekit.platform import platform_evidence
from diag.nodekit.problems import NotApplicable
from diag.nodekit.release import DGX_RELEASE

# 0x81010001 is where TCG's provisioning guidance keeps the endorsement key; its name is a digest of its public part.
EK_NAME = ("/usr/bin/tpm2_readpublic", "-c", "0x81010001")
TPM = "/sys/class/tpm/tpm0"
PERMANENT = "0"  # addr_assign_type of an address that the hardware brought (NET_ADDR_PERM)
SMBIOS_NAMES = (
    "sys_vendor", "product_name", "product_version", "product_family", "product_sku",
    "board_vendor", "board_name", "board_version", "chassis_vendor", "chassis_type",
)  # fmt: skip
PREFERRED = ("smbios.product_serial", "dgx_release.serial")

FACET = Facet(title="Identity", elevated=(*(cat(name) for name in SERIAL_NAMES), EK_NAME))


def collect(look: Look) -> dict[str, Any]:
    machine = look.machine
    found = _identifiers(look)
    chosen = next((source for source in PREFERRED if source in found and not found[source].placeholder), None)
    if chosen != PREFERRED[0]:
        look.inherit("serial_source", f"identifiers[{PREFERRED[0]}]")
    if chosen is None:
        for source in PREFERRED:
            look.inherit("serial", f"identifiers[{source}]")
            look.inherit("serial_source", f"identifiers[{source}]")
    look.volatile["boot_id"] = look.at("boot_id", lambda: _line(machine, "/proc/sys/kernel/random/boot_id"))
    look.volatile["booted_at"] = look.at("booted_at", lambda: _booted_at(machine), "/proc/stat")
    return {
        "serial": found[chosen].value if chosen else None,
        "serial_source": chosen,
        "serials_agree": _serials_agree(look, found),
        "identifiers": {source: _document(identifier) for source, identifier in found.items()},
        "platform": look.at("platform", lambda: _platform(machine)),
        "smbios": {name: look.at(f"smbios.{name}", partial(dmi_value, machine, name)) for name in SMBIOS_NAMES},
        "hostname": look.at("hostname", lambda: _line(machine, "/proc/sys/kernel/hostname")),
        "macs": look.at("macs", lambda: _macs(machine), NET),
        "drives": look.at("drives", lambda: _drives(machine), NVME),
        "gpus": look.at("gpus", lambda: _gpus(machine), "/proc/driver/nvidia/gpus"),
        "machine_id": look.at("machine_id", lambda: _line(machine, "/etc/machine-id")),
        "host_keys": look.at("host_keys", lambda: _host_keys(machine), SSH_FOLDER),
    }


def _identifiers(look: Look) -> dict[str, Identifier]:
    machine = look.machine
    readers: dict[str, tuple[Callable[[], Identifier | None], str]] = {
        f"smbios.{name}": (partial(smbios_identifier, machine, name), f"{DMI}/{name}") for name in SERIAL_NAMES
    }
    readers["dgx_release.serial"] = (partial(release_identifier, machine), DGX_RELEASE)
    readers["tpm.ek_name"] = (partial(_ek_name, machine), " ".join(EK_NAME))
    found = {source: look.at(f"identifiers[{source}]", read, where) for source, (read, where) in readers.items()}
    return {source: identifier for source, identifier in found.items() if identifier is not None}


def _serials_agree(look: Look, found: dict[str, Identifier]) -> bool | None:
    """Whether the sources of the serial name the same one; None where fewer than two name any."""
    for source in PREFERRED:
        look.inherit("serials_agree", f"identifiers[{source}]")
    named = [found[source].value for source in PREFERRED if source in found and not found[source].placeholder]
    return len(set(named)) == 1 if len(named) > 1 else None


def _document(identifier: Identifier) -> dict[str, Any]:
    return {
        "value": identifier.value,
        "privilege": identifier.privilege,
        "placeholder": identifier.placeholder,
        "locator": identifier.locator,
    }


def _ek_name(machine: Machine) -> Identifier | None:
    if not machine.exists(TPM):
        raise NotApplicable("there is no TPM")
    ran = machine.run(EK_NAME, seconds=3.0, elevate=True)
    if ran.exit_status != 0:
        raise NotApplicable("the TPM keeps no endorsement key at its usual handle")
    for line in ran.stdout.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "name":
            bytes.fromhex(value.strip())
            return Identifier(value.strip().lower(), "root", " ".join(EK_NAME))
    raise ValueError("tpm2_readpublic names no key")


def _platform(machine: Machine) -> dict[str, Any]:
    evidence = platform_evidence(machine)
    clues = {
        name: {"says": clue.says, "words": clue.words, "locator": clue.locator}
        for name, clue in zip(("pci", "release", "smbios", "cores"), evidence.clues, strict=True)
    }
    return {"is_gb10": evidence.is_gb10, "clues": clues}


def _macs(machine: Machine) -> dict[str, str]:
    """Addresses that the hardware brought; those of bridges, containers and dongles without one are not among them."""
    found = {}
    for name in machine.names(NET):
        here = f"{NET}/{name}"
        if (machine.read_or_none(f"{here}/addr_assign_type") or "").strip() != PERMANENT:
            continue
        address = (machine.read_or_none(f"{here}/address") or "").strip().lower()
        if machine.exists(f"{here}/device") and address.strip("0:"):
            found[name] = address
    return found


def _drives(machine: Machine) -> dict[str, str]:
    serials = {name: (machine.read_or_none(f"{NVME}/{name}/serial") or "").strip() for name in machine.names(NVME)}
    return {name: serial for name, serial in serials.items() if serial}


def _gpus(machine: Machine) -> dict[str, str]:
    """UUIDs as the driver tells them in /proc, which starts no process and cannot hang as nvidia-smi does."""
    found = {}
    for address in machine.names("/proc/driver/nvidia/gpus"):
        for line in machine.read(f"/proc/driver/nvidia/gpus/{address}/information").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "GPU UUID" and "?" not in value:
                found[address] = value.strip()
    return found


def _host_keys(machine: Machine) -> dict[str, str]:
    return {key.algorithm: key.fingerprint for key in host_keys(machine)}


def _booted_at(machine: Machine) -> str | None:
    for line in machine.read("/proc/stat").splitlines():
        if line.startswith("btime "):
            moment = dt.datetime.fromtimestamp(int(line.split()[1]), dt.timezone.utc)
            return moment.isoformat().replace("+00:00", "Z")
    return None


def _line(machine: Machine, path: str) -> str | None:
    """The first line of a file, None where the file is absent or empty."""
    return (machine.read_or_none(path) or "").split("\n", 1)[0].strip()[:120] or None
