"""Everything about one simulated node, each fact stated once; the tree and all command outputs are rendered from it."""

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Literal

from sparkctl.lab.makes import MAKES, Make

KERNEL = "6.17.0-1014-nvidia"
OLDER_KERNEL = "6.17.0-1008-nvidia"
IMAGE_PACKAGE = "linux-image-"
KERNEL_BANNER = "#14-Ubuntu SMP PREEMPT_DYNAMIC Tue Mar 17 19:01:40 UTC 2026"
DRIVER = "580.142"
VBIOS = "9A.0B.1E.00.00"


def acted_boot(number: int) -> str:
    """The name of the boot that the act of this number ended, or will end; 0 is the one that the node came up with."""
    return f"act-{number}"


GpuState = Literal["ok", "no_driver", "reset_required", "hung", "gone"]


@dataclass(frozen=True)
class BoardFirmware:
    """Versions as the OTA recipes number them; those of DGX OS 7.4.0 of March 2026, as the node's kernel and driver."""

    socfw: str = "2.150.3"
    controller: str = "2.78.24"
    usb_pd: str = "0.5.7"


@dataclass(frozen=True)
class Gpu:
    """What nvidia-smi tells: Celsius, watts, percent, MHz. `reasons` are active clock event reasons."""

    state: GpuState = "ok"
    celsius: int = 41
    watts: float = 4.12
    utilisation: int = 0
    sm_mhz: int = 208
    pstate: str = "P8"
    reasons: frozenset[str] = frozenset({"gpu_idle"})
    processes: tuple[tuple[int, str, int], ...] = ()


@dataclass(frozen=True)
class Memory:
    """Sizes in KiB; pressures in percent as (avg10, avg60, avg300), those of memory as `some` and `full`."""

    available_kib: int = 112 * 2**20
    free_kib: int = 98 * 2**20
    swap_total_kib: int = 16_777_212
    swap_free_kib: int = 16_777_212
    some: tuple[float, float, float] = (0.0, 0.0, 0.0)
    full: tuple[float, float, float] = (0.0, 0.0, 0.0)
    oom_kills: int = 0


@dataclass(frozen=True)
class Load:
    """Pressure on processors and storage in percent, and the load average."""

    cpu_some: tuple[float, float, float] = (0.14, 0.09, 0.05)
    io_some: tuple[float, float, float] = (0.0, 0.02, 0.01)
    io_full: tuple[float, float, float] = (0.0, 0.01, 0.0)
    average: tuple[float, float, float] = (0.21, 0.18, 0.12)
    running: int = 2


@dataclass(frozen=True)
class RootDisk:
    """The root file system: share of its bytes and inodes in use in percent, and whether it refuses writes."""

    used_percent: float = 21.4
    inodes_percent: float = 1.3
    read_only: bool = False
    ext4_errors: int = 0


@dataclass(frozen=True)
class DriveHealth:
    """The SMART / health log and the kernel's word for the controller's state."""

    celsius: int = 38
    spare: int = 100
    used: int = 0
    media_errors: int = 0
    critical_warning: int = 0
    unsafe_shutdowns: int = 7
    state: str = "live"


@dataclass(frozen=True)
class Clock:
    """Whether the clock is synchronised, its offset in seconds, and the time it shows where that is a wrong one."""

    synchronised: bool = True
    enabled: bool = True
    offset: float = 0.000412
    shows: float | None = None


@dataclass(frozen=True)
class NodeModel:
    """One node. `seed` makes its invented identifiers; `zones` are the seven thermal zones in millidegrees Celsius.

    `cabled` is None for a ConnectX-7 that left the bus for want of a cable, else whether its first cage has a link.
    `hanging` are files whose read never returns, `kernel_lines` are added to the kernel log as (seconds, text), `sudo`
    says whether sudo lets the user run what needs root, `swapped` whether another machine stands in this one's place,
    `plain_vm` whether it is no GB10 machine at all (see `plain_vm`). `past` names the story of its earlier boots (see
    `reset_stories`), None for an ordinary one. `bus_errors` are (PCI address, nonfatal, fatal) counts. `secrets` says
    whether secrets of every class lie about (see `secrets`). `reports` is how tools of others behave. `live` says
    whether it was started from another system than the one on its drive, which nobody uses then.

    What acts have made of it (see `acted`): `kernel` is the one that runs, `upgraded` are packages with the versions
    that acts brought, `ended` the boots that acts ended (how long each lasted and was off until the next, in seconds,
    and its kernel), `stopped` and `masked` units, `next_entry` is that of the menu which the next boot takes, `flashed`
    firmware by GUID.
    """

    name: str
    seed: str
    make: Make = MAKES["founders"]
    uptime: float = 1_036_800.0
    driver: str | None = DRIVER
    gpu: Gpu = Gpu()
    memory: Memory = Memory()
    load: Load = Load()
    root: RootDisk = RootDisk()
    firmware: BoardFirmware = BoardFirmware()
    drive: DriveHealth = DriveHealth()
    clock: Clock = Clock()
    zones: tuple[int, ...] = (41_800, 40_300, 40_100, 39_800, 41_500, 40_000, 39_900)
    cabled: bool | None = True
    ethernet_up: bool = True
    cores_offline: tuple[int, ...] = ()
    failed_units: tuple[tuple[str, str], ...] = ()
    reboot_packages: tuple[str, ...] = ()
    newer_kernel: str | None = None
    tainted: int = 4096
    crash_records: tuple[str, ...] = ()
    kernel_lines: tuple[tuple[float, str], ...] = ()
    hanging: tuple[str, ...] = ()
    sudo: bool = True
    swapped: bool = False
    plain_vm: bool = False
    past: str | None = None
    bus_errors: tuple[tuple[str, int, int], ...] = ()
    secrets: bool = False
    reports: str = "good"
    live: bool = False
    kernel: str = KERNEL
    upgraded: tuple[tuple[str, str], ...] = ()
    ended: tuple[tuple[float, float, str], ...] = ()
    stopped: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    next_entry: str | None = None
    flashed: tuple[tuple[str, str], ...] = ()
    ota_versions: tuple[tuple[str, str], ...] = field(
        default=(
            ("7.3.1", "Wed Nov 19 05:05:30 PM UTC 2025"),
            ("7.4.0", "Thu Feb 12 09:14:02 AM UTC 2026"),
        )
    )

    @property
    def number(self) -> int:
        """The number in the node's name."""
        digits = "".join(character for character in self.name if character.isdigit())
        return int(digits or "0")

    @property
    def serial(self) -> str:
        """An invented serial that looks invented."""
        return f"SIM{self.number + (9_000_000_000 if self.swapped else 0):010d}"

    @property
    def drive_serial(self) -> str:
        """The invented serial of its drive."""
        return f"SIMNVME{self.number:06d}"

    @property
    def uuid(self) -> str:
        """The SMBIOS UUID."""
        return self._uuid("smbios")

    @property
    def boot_id(self) -> str:
        """The id of the running boot: another one after each that an act ended."""
        return self.earlier_boot_id(acted_boot(len(self.ended)))

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels in /boot, oldest first."""
        brought = (name.removeprefix(IMAGE_PACKAGE) for name, _ in self.upgraded if name.startswith(IMAGE_PACKAGE))
        return tuple(sorted({OLDER_KERNEL, KERNEL, *([self.newer_kernel] if self.newer_kernel else []), *brought}))

    @property
    def machine_id(self) -> str:
        """The contents of /etc/machine-id."""
        return self.material("machine-id", 16).hex()

    def earlier_boot_id(self, name: str) -> str:
        """The id of a boot before the running one, by the name that the node's story gives it."""
        return self._uuid("boot" if name == acted_boot(0) else f"boot {name}")

    def mac(self, port: int) -> str:
        """The MAC address of a port: locally administered, 02:..."""
        return ":".join(
            f"{byte:02x}"
            for byte in (2, 0x51, self.number >> 8 & 255, self.number & 255, self.material("mac", 1)[0], port)
        )

    @property
    def gpu_uuid(self) -> str:
        """The UUID that nvidia-smi prints."""
        return f"GPU-{self._uuid('gpu')}"

    @property
    def filesystem_uuid(self) -> str:
        """The UUID of the root file system."""
        return self._uuid("root")

    def material(self, name: str, size: int) -> bytes:
        """Bytes for an identifier, always the same for this node and name."""
        return hashlib.shake_256(f"{self.seed}/{self.name}/{name}".encode()).digest(size)

    @property
    def cores(self) -> tuple[int, ...]:
        """The numbers of the processors that are online."""
        return tuple(core for core in range(20) if core not in self.cores_offline)

    @property
    def module_loaded(self) -> bool:
        """Whether the GPU's kernel module is loaded."""
        return self.driver is not None and self.gpu.state != "no_driver"

    def _uuid(self, name: str) -> str:
        return str(uuid.UUID(bytes=self.material(name, 16), version=4))

    def jitter(self, name: str, spread: int) -> int:
        """A number from 0 to `spread`, always the same for this node and name."""
        return int.from_bytes(self.material(name, 4), "big") % (spread + 1)
