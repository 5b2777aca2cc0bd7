"""Does a node have what one OTA recipe wants of one component?

How a version is compared depends on what it is a version of:
- packages by Debian's order; a package that is not installed fails;
- kernel and driver by their numbers, kernels only within a flavour;
- firmware by the version that SMBIOS type 45 tells, where SOCFW is called FLASH (`SBP:R:2.155.11`), EC and EC Unfused
  are `EC Firmware`, and USBPD is a pair of `PD Firmware` (`PD0 FW1: 5.22, FW2: 4.10` for a wanted 0.5.22). All makers
  number these as the recipes do; their numbers in fwupd are their own and are not used. A text without a version, such
  as a TPM that answers `SOCTS`, cannot be verified, nor can a component that the table does not list;
- the ConnectX-7 by its driver's word; one that left the bus for want of a cable cannot be verified.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sparkctl.model.debian_version import version_key
from sparkctl.model.facets.ota import Installed

Part = Literal["packages", "software", "firmware", "connectx"]
Answer = Literal["verified", "failed", "not_verifiable"]
Numbers = tuple[int, ...]

TYPE_45_NAMES = {"SOCFW": "FLASH", "EC": "EC Firmware", "EC Unfused": "EC Firmware", "USBPD": "PD Firmware"}
_DOTTED = re.compile(r"\d+(?:\.\d+)+")
_PD = re.compile(r"PD\d FW1: (\d+(?:\.\d+)+)")
_KERNEL = re.compile(r"(\d[\d.]*-\d+)-([a-z]+)")


@dataclass(frozen=True)
class Check:
    """What became of one wanted version. `exact`: the node has this very one (never said of packages).

    `found` is null where nothing is there or nothing could be read.
    """

    part: Part
    component: str
    wanted: str
    found: str | None
    answer: Answer
    exact: bool = False

    @property
    def name(self) -> str:
        """`firmware SOCFW`."""
        return f"{_SINGULAR[self.part]} {self.component}"

    @property
    def is_older(self) -> bool:
        """Whether the node has an older version, rather than nothing."""
        return self.answer == "failed" and self.found is not None


_SINGULAR = {"packages": "package", "software": "software", "firmware": "firmware", "connectx": "connectx"}


def check(part: Part, component: str, wanted: str, installed: Installed) -> Check:
    """Hold one wanted version against what the node has."""
    if part == "packages":
        return _package(component, wanted, installed.packages)
    if part == "software":
        return _software(component, wanted, installed)
    if part == "firmware":
        return _numbered(part, component, wanted, _firmware(component, installed.firmware or {}))
    return _numbered(part, component, wanted, sorted(set((installed.connectx or {}).values())))


def kernel_numbers(release: str) -> tuple[str, Numbers]:
    """Flavour and numbers of a kernel release; of `6.17.0-1014-nvidia-64k` the flavour is nvidia too."""
    match = _KERNEL.match(release)
    return (match[2], _numbers(match[1])) if match else ("", _numbers(release))


def _package(component: str, wanted: str, packages: Mapping[str, str] | None) -> Check:
    if packages is None:
        return Check("packages", component, wanted, None, "not_verifiable")
    found = packages.get(component)
    enough = found is not None and version_key(found) >= version_key(wanted)
    return Check("packages", component, wanted, found, "verified" if enough else "failed")


def _software(component: str, wanted: str, installed: Installed) -> Check:
    found = {"kernel": installed.kernel, "driver": installed.driver}.get(component)
    if found is None:
        return Check("software", component, wanted, None, "not_verifiable")
    if component == "driver":
        return _numbered("software", component, wanted, [found])
    (flavour, there), (wanted_flavour, least) = kernel_numbers(found), kernel_numbers(wanted)
    if flavour != wanted_flavour:
        return Check("software", component, wanted, found, "not_verifiable")
    return Check("software", component, wanted, found, "verified" if there >= least else "failed", there == least)


def _firmware(component: str, firmware: Mapping[str, str]) -> list[str]:
    """What the table tells of a component; the second of a name is listed as `NAME (2)`."""
    name = TYPE_45_NAMES.get(component, component)
    texts = [text for key, text in sorted(firmware.items()) if key.partition(" (")[0] == name]
    if component == "USBPD":
        return [f"0.{match[1]}" for text in texts for match in _PD.finditer(text)]
    return texts


def _numbered(part: Part, component: str, wanted: str, found: list[str]) -> Check:
    """All of `found` must do, as both controllers of a pair."""
    shown = ", ".join(dict.fromkeys(found)) or None
    least, versions = _numbers(wanted), [_numbers(match[-1]) for match in map(_DOTTED.findall, found) if match]
    if not least or not versions or len(versions) != len(found):
        return Check(part, component, wanted, shown, "not_verifiable")
    enough = all(version >= least for version in versions)
    exact = all(version == least for version in versions)
    return Check(part, component, wanted, shown, "verified" if enough else "failed", exact)


def _numbers(text: str) -> Numbers:
    return tuple(int(number) for number in re.findall(r"\d+", text))
