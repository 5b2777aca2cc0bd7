"""Read release files: shell-style `KEY="value"` lines, of which the last one wins.

An OTA update appends another DGX_OTA_VERSION and DGX_OTA_DATE to /etc/dgx-release instead of replacing them.
"""

from __future__ import annotations

from diag.nodekit.machine import Machine

DGX_RELEASE = "/etc/dgx-release"


def read_dgx_release(machine: Machine) -> dict[str, str]:
    """The values of /etc/dgx-release, empty when the file is absent or cannot be read."""
    try:
        return release_values(machine.read_or_none(DGX_RELEASE) or "")
    except OSError:
        return {}


def every_value(text: str, key: str) -> list[str]:
    """All values of one key in their order, quotes removed, empty ones left out."""
    lines = (line.strip().partition("=") for line in text.splitlines())
    found = (value.strip().strip("\"'") for name, _, value in lines if name == key)
    return [value for value in found if value]


def release_values(text: str) -> dict[str, str]:
    """The values of a release file, quotes removed; lines that are not assignments are passed over."""
    values = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key.isidentifier():
            values[key] = value.strip().strip("\"'")
    return values
