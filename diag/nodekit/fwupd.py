"""What fwupd 2 knows about the firmware of devices; asked without touching its metadata or any network."""

from __future__ import annotations

import json
import re
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import bounded, name, word, words

GET_DEVICES = (
    "fwupdmgr", "get-devices", "--json", "--no-unreported-check", "--no-metadata-check", "--no-remote-check",
)  # fmt: skip
FWUPD_SECONDS = 6.0  # the daemon may have to start first
NO_DEVICES = 2  # fwupdmgr's exit status for: nothing to do
MAX_DEVICES = 300
HEX_VERSION = re.compile(r"0x[0-9a-fA-F]{8}")
# What these flags say changes with fwupd's metadata and history, not with the machine.
SHIFTING_FLAGS = frozenset({"supported", "trusted-metadata", "reported", "notified", "historical"})
# The vendor whose hex versions are known to be 8, 16 and 8 bits: its release notes say 3.5.8 for 0x03000508, 2.155.11
# for 0x02009b0b and 0.5.22 for 0x00000516.
DECODED_VENDOR = "NVIDIA"


def fwupd_devices(machine: Machine) -> dict[str, Any]:
    """The devices by GUID; raises MissingTool, TimeoutError, Unevaluated, ValueError."""
    ran = machine.run(GET_DEVICES, seconds=FWUPD_SECONDS, limit=2 * 1024 * 1024)
    if ran.exit_status == NO_DEVICES:
        return {}
    if ran.exit_status != 0:
        said = one_line(ran.stderr or ran.stdout)
        raise Unevaluated(UnknownReason.PRECONDITION, f"fwupdmgr ended with {ran.exit_status}: {said}")
    return parse_devices(ran.stdout)


def parse_devices(text: str) -> dict[str, Any]:
    """The devices of `fwupdmgr get-devices --json`, by GUID, or by plugin and name where there is none.

    Each holds `flags` that describe the device and `shifting` ones. Raises ValueError.
    """
    try:
        answer = json.loads(text)
    except RecursionError as error:
        raise ValueError("the answer of fwupdmgr is nested too deeply") from error
    devices = answer.get("Devices") if isinstance(answer, dict) else None
    if not isinstance(devices, list) or not all(isinstance(device, dict) for device in devices):
        raise ValueError("the answer of fwupdmgr has no list of devices")
    found: dict[str, Any] = {}
    for device in sorted(devices, key=lambda device: str(device.get("DeviceId", ""))):
        found[name(_key(device), found)] = _device(device)
    return bounded(found, MAX_DEVICES, "firmware devices")


def decode(version: str, vendor: str | None) -> str | None:
    """`3.5.8` for `0x03000508` of the vendor whose way of counting is known, else None."""
    if vendor != DECODED_VENDOR or not HEX_VERSION.fullmatch(version):
        return None
    value = int(version, 16)
    return f"{value >> 24}.{value >> 8 & 0xFFFF}.{value & 0xFF}"


def _key(device: dict[str, Any]) -> str:
    guids = [guid for guid in _texts(device, "Guid") if guid]
    return guids[0].lower() if guids else f"{_text(device, 'Plugin')}/{_text(device, 'Name')}"


def _device(device: dict[str, Any]) -> dict[str, Any]:
    vendor, version, state = word(_text(device, "Vendor")), word(_text(device, "Version")), device.get("UpdateState")
    flags = _texts(device, "Flags")
    return {
        "name": word(_text(device, "Name")),
        "plugin": word(_text(device, "Plugin")),
        "vendor": vendor,
        "version": version,
        "version_lowest": word(_text(device, "VersionLowest")),
        "version_format": word(_text(device, "VersionFormat")),
        "version_decoded": None if version is None else decode(version, vendor),
        "update_state": state if type(state) is int and 0 <= state < 2**32 else None,
        "flags": words([flag for flag in flags if flag not in SHIFTING_FLAGS]),
        "request_flags": words(_texts(device, "RequestFlags")),
        "shifting": words([flag for flag in flags if flag in SHIFTING_FLAGS]),
    }


def _text(device: dict[str, Any], key: str) -> str:
    value = device.get(key)
    return value if isinstance(value, str) else ""


def _texts(device: dict[str, Any], key: str) -> list[str]:
    value = device.get(key)
    return [text for text in value if isinstance(text, str)][:200] if isinstance(value, list) else []
