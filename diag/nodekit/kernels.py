"""Which kernel runs, and which are installed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine

OSRELEASE = "/proc/sys/kernel/osrelease"
BOOT = "/boot"
MODULES = "/lib/modules"
IMAGE_PREFIXES = ("vmlinuz-", "vmlinux-")
INITRD_PREFIX = "initrd.img-"
FLAVOURED = re.compile(r"(\d[\d.]*(?:-\d+)?)-([A-Za-z][\w.-]*)")


@dataclass(frozen=True)
class Kernels:
    """Releases as `uname -r` prints them.

    `images` are those with a kernel in /boot, `modules` those with a folder in /lib/modules, `initrds` those with an
    initial RAM disk in /boot.
    """

    running: str
    images: tuple[str, ...]
    modules: tuple[str, ...]
    initrds: tuple[str, ...]

    @property
    def newest(self) -> str | None:
        """The newest bootable kernel of the flavour that runs: the one the next boot is expected to take."""
        same = [release for release in self.images if flavour(release) == flavour(self.running)]
        return max(same, key=release_key, default=None)


def kernels(machine: Machine) -> Kernels:
    """Read what runs and what is installed; raises OSError when the running release cannot be read."""
    in_boot = machine.names(BOOT)
    images = {name[len(prefix) :] for prefix in IMAGE_PREFIXES for name in in_boot if name.startswith(prefix)}
    initrds = {name[len(INITRD_PREFIX) :] for name in in_boot if name.startswith(INITRD_PREFIX)}
    return Kernels(
        running=machine.read(OSRELEASE).strip(),
        images=_releases(images),
        modules=_releases(set(machine.names(MODULES))),
        initrds=_releases(initrds),
    )


def release_key(release: str) -> tuple[int, ...]:
    """Sorts releases by their numbers: 6.17.0-1014-nvidia comes after 6.17.0-1008-nvidia."""
    return tuple(int(number) for number in re.findall(r"\d+", _split(release)[0]))


def flavour(release: str) -> str:
    """What stands behind the numbers: `nvidia`, `nvidia-64k`, `generic`; empty where a release has no such part."""
    return _split(release)[1]


def _split(release: str) -> tuple[str, str]:
    match = FLAVOURED.fullmatch(release)
    return (match[1], match[2]) if match else (release, "")


def _releases(names: set[str]) -> tuple[str, ...]:
    found = (name for name in names if name[:1].isdigit() and not name.endswith((".old", ".bak")))
    return tuple(sorted(found, key=release_key))
