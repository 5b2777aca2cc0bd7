"""Python packages that somebody put beside those of dpkg, for all users of the machine."""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.words import bounded, name

LIBRARIES = "/usr/local/lib"  # where pip as root installs on Debian and Ubuntu; dpkg never does
MAX_PACKAGES = 2_000
_FOLDER = "dist-packages"
_ENDINGS = (".dist-info", ".egg-info")


def python_packages(machine: Machine) -> dict[str, str]:
    """Versions by `PYTHON/NAME`, such as `python3.12/torch`, as the names of their metadata folders tell them."""
    found: dict[str, str] = {}
    for python in machine.names(LIBRARIES):
        if not python.startswith("python3"):
            continue
        for entry in machine.names(f"{LIBRARIES}/{python}/{_FOLDER}"):
            stem = next((entry.removesuffix(ending) for ending in _ENDINGS if entry.endswith(ending)), None)
            package, dash, version = (stem or "").partition("-")
            if dash:
                found[name(f"{python}/{package.lower().replace('_', '-')}")] = name(version.partition("-py3")[0])
    return bounded(found, MAX_PACKAGES, "Python packages")
