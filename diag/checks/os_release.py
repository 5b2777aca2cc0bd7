"""Which DGX OS runs, with the updates that were put on it."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable
from diag.nodekit.release import DGX_RELEASE, release_values
from diag.nodekit.vocabulary import Status

CHECK = Check(title="DGX OS release")
OS_RELEASE = "/etc/os-release"


@dataclass(frozen=True)
class Releases:
    """The values of the two release files; `dgx` is None where there is no such file."""

    dgx: dict[str, str] | None
    base: dict[str, str]


def observe(machine: Machine) -> Releases:
    dgx = machine.read_or_none(DGX_RELEASE)
    return Releases(None if dgx is None else release_values(dgx), release_values(machine.read(OS_RELEASE)))


def evaluate(seen: Releases) -> Finding:
    base = seen.base.get("PRETTY_NAME", "an unnamed system")
    if seen.dgx is None:
        raise NotApplicable(f"{base} without {DGX_RELEASE}: not DGX OS")
    factory = seen.dgx.get("DGX_SWBUILD_VERSION")
    version = seen.dgx.get("DGX_OTA_VERSION") or factory
    if not version:
        raise ValueError(f"{DGX_RELEASE} names no version")
    return Finding(
        Status.PASS,
        f"DGX OS {version} on {base}" + (f", from the factory as {factory}" if factory not in (None, version) else ""),
        value=version,
        locator=DGX_RELEASE,
        readings=(Reading("DGX_SWBUILD_VERSION", factory), Reading("PRETTY_NAME", base)),
    )
