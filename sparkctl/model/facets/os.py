"""The operating system of a node."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, UtcDatetime, Word
from sparkctl.model.facets.base import Names


class Distribution(Record):
    """/etc/os-release. `like` is ID_LIKE as it stands there."""

    id: Word | None = None
    like: Word | None = None
    version_id: Word | None = None
    version: Word | None = None
    codename: Word | None = None
    pretty_name: Word | None = None


class DgxRelease(Record):
    """/etc/dgx-release. The factory wrote the build; each OTA update appends its version, so the last one counts.

    `version` is the last OTA version, else that of the factory build. `ota_versions` are all of them, oldest first
    (the last 50). `ota_date` is what `date` printed in the node's own zone and language: text, not a moment.
    `platform` says "DGX Server for KVM" on bare metal too.
    """

    name: Word | None = None
    pretty_name: Word | None = None
    version: Word | None = None
    build_version: Word | None = None
    build_date: Word | None = None
    commit: Word | None = None
    platform: Word | None = None
    ota_versions: Annotated[list[Word], Field(max_length=50)] = []
    ota_date: Word | None = None


class FastOsRelease(Record):
    """/etc/fastos-release: the image that the factory installs from."""

    name: Word | None = None
    version: Word | None = None


class Kernel(Record):
    """Releases as `uname -r` prints them: `images` and `initrds` in /boot, `modules` in /lib/modules.

    `next_boot` is what the next boot is expected to take; null when the boot loader's choice names no installed kernel.
    `next_boot_by` is what decides it: a setting of GRUB, an entry in its environment, or simply the newest image.
    """

    running: Word | None = None
    build: Word | None = None
    images: Names = []
    modules: Names = []
    initrds: Names = []
    next_boot: Word | None = None
    next_boot_by: (
        Literal["grubenv next_entry", "grubenv saved_entry", "GRUB_DEFAULT", "GRUB_FLAVOUR_ORDER", "newest"] | None
    ) = None


BootValue = Text | Annotated[list[Text], Field(max_length=200)]
"""A value, empty for a flag; a list, in the order of the command line, where a parameter is given more than once."""


class OperatingSystem(Record):
    """What is installed and how it boots.

    `boot_parameters` are those of the running kernel. `reboot_required` is Ubuntu's mark and `reboot_packages` who set
    it. `time_services` are the active ones of timesyncd, chrony, ntpsec and ntp. `chassis` is in hostnamectl's words,
    from SMBIOS; a desktop machine may say `server`. `systemd_version` is the distribution's where it names one.
    """

    distribution: Distribution | None = None
    dgx: DgxRelease | None = None
    fastos: FastOsRelease | None = None
    architecture: Word | None = None
    kernel: Kernel
    boot_parameters: Annotated[dict[Word, BootValue], Field(max_length=201)] | None = None
    reboot_required: bool | None = None
    reboot_packages: Names | None = None
    systemd_version: Word | None = None
    default_target: Word | None = None
    timezone: Word | None = None
    locale: Word | None = None
    time_services: Names | None = None
    chassis: Word | None = None
    cgroup_version: Literal[1, 2] | None = None


class OperatingSystemVolatile(Record):
    """What changes by itself: seconds since boot, and when a package last asked for a reboot."""

    uptime_seconds: Annotated[float, Field(ge=0)] | None = None
    reboot_required_since: UtcDatetime | None = None
