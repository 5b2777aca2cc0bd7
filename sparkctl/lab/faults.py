"""The faults of the machine that `lab break` can put into a simulated node: each is one change of its model."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from sparkctl.lab.node_model import BoardFirmware, Clock, DriveHealth, Gpu, Load, Memory, NodeModel, RootDisk
from sparkctl.lab.plain_vm import CPUS, plain_make

SERVING = ((48_211, "VLLM::EngineCore", 89_093),)
NO_MEMORY = (
    "NVRM: nvAssertOkFailedNoLog: Assertion failed: Out of memory [NV_ERR_NO_MEMORY] (0x00000051) returned from "
    "_memdescAllocInternal(pMemDesc) @ mem_desc.c:1359"
)
GSP_DEAD = (
    "NVRM: Xid (PCI:000f:01:00): 119, pid=3849, name=python3, Timeout after 45s of waiting for RPC response from "
    "GPU0 GSP!"
)
Change = Callable[[NodeModel], NodeModel]


@dataclass(frozen=True)
class Fault:
    """A change of the model, a behaviour of the server (see `behaviours`), or both; or one that shows in `acts` only.

    `expected` is what a sweep makes of such a node: `pass`, `warn` or `fail` (the worst status of its checks), else
    `stage.cause` of a visit that brings no result.
    """

    name: str
    description: str
    expected: str
    change: Change | None = None
    behaviour: str = "normal"
    acts: bool = False


def _full_disk(node: NodeModel) -> NodeModel:
    return replace(node, root=RootDisk(used_percent=98.7, inodes_percent=4.1))


def _read_only(node: NodeModel) -> NodeModel:
    lines = (
        (5_120.4, "EXT4-fs error (device nvme0n1p2): ext4_find_entry:1682: inode #131074: comm dockerd: simulated"),
        (5_120.5, "EXT4-fs (nvme0n1p2): Remounting filesystem read-only"),
    )
    return replace(node, root=RootDisk(read_only=True, ext4_errors=3), kernel_lines=lines)


def _hot(node: NodeModel) -> NodeModel:
    gpu = Gpu(
        celsius=94, watts=71.3, utilisation=96, sm_mhz=1_905, pstate="P0",
        reasons=frozenset({"sw_thermal_slowdown", "hw_thermal_slowdown"}), processes=SERVING,
    )  # fmt: skip
    return replace(node, gpu=gpu, zones=(99_800, 98_100, 97_900, 97_200, 99_400, 97_700, 97_500))


def _memory_wedge(node: NodeModel) -> NodeModel:
    lines = tuple((node.uptime - 600 + at * 3, NO_MEMORY) for at in range(198))
    memory = Memory(
        available_kib=1_310_720, free_kib=412_300, swap_free_kib=2_048, some=(99.1, 96.4, 71.2), full=(98.7, 92.4, 66.8)
    )
    load = Load(cpu_some=(41.0, 38.2, 30.1), io_some=(12.0, 9.4, 7.1), average=(103.4, 88.1, 41.0), running=64)
    busy = Gpu(celsius=58, watts=12.8, utilisation=12, sm_mhz=2_405, pstate="P0", reasons=frozenset())
    return replace(node, memory=memory, load=load, kernel_lines=lines, gpu=busy)


def _driver_missing(node: NodeModel) -> NodeModel:
    return replace(node, driver=None, gpu=Gpu(state="no_driver"))


def _power_wedge(node: NodeModel) -> NodeModel:
    gpu = Gpu(
        celsius=54, watts=14.2, utilisation=96, sm_mhz=611, pstate="P0", reasons=frozenset(),
        processes=SERVING,
    )  # fmt: skip
    return replace(node, gpu=gpu, load=Load(average=(4.1, 4.0, 3.8)))


def _busy(node: NodeModel) -> NodeModel:
    gpu = Gpu(
        celsius=72, watts=48.6, utilisation=95, sm_mhz=2_411, pstate="P0", reasons=frozenset({"sw_power_cap"}),
        processes=SERVING,
    )  # fmt: skip
    memory = Memory(available_kib=24 * 2**20, free_kib=9 * 2**20)
    return replace(node, gpu=gpu, memory=memory, zones=(78_400, 71_200, 70_900, 69_800, 77_900, 70_300, 70_100))


def _failed_units(node: NodeModel) -> NodeModel:
    units = (
        ("docker.service", "Docker Application Container Engine"),
        ("nvidia-persistenced.service", "NVIDIA Persistence Daemon"),
    )
    return replace(node, failed_units=units)


def _clock_unsynchronised(node: NodeModel) -> NodeModel:
    return replace(node, clock=Clock(synchronised=False, offset=12.4))


def _clock_years_off(node: NodeModel) -> NodeModel:
    then = dt.datetime(2021, 4, 1, tzinfo=dt.UTC).timestamp()
    return replace(node, clock=Clock(synchronised=False, enabled=False, shows=then))


def _stuck_sysfs(node: NodeModel) -> NodeModel:
    return replace(node, hanging=("/sys/devices/virtual/thermal/thermal_zone3/temp",))


def _hung_nvidia_smi(node: NodeModel) -> NodeModel:
    return replace(node, gpu=Gpu(state="hung"), kernel_lines=((node.uptime - 900, GSP_DEAD),))


def _gpu_reset(node: NodeModel) -> NodeModel:
    xid = "NVRM: Xid (PCI:000f:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)"
    return replace(node, gpu=Gpu(state="reset_required"), kernel_lines=((node.uptime - 900, xid),))


def _connectx_absent(node: NodeModel) -> NodeModel:
    return replace(node, cabled=None)


def _worn_drive(node: NodeModel) -> NodeModel:
    return replace(node, drive=DriveHealth(spare=8, used=103, media_errors=14, critical_warning=1))


def _oom_kills(node: NodeModel) -> NodeModel:
    line = "Out of memory: Killed process 48211 (VLLM::EngineCor) total-vm:213412220kB, anon-rss:91230012kB (simulated)"
    return replace(node, memory=replace(node.memory, oom_kills=3), kernel_lines=((node.uptime - 1800, line),))


def _reboot_pending(node: NodeModel) -> NodeModel:
    newer = "6.17.0-1018-nvidia"
    packages = (f"linux-image-{newer}", "linux-base")
    return replace(node, reboot_packages=packages, newer_kernel=newer, uptime=50 * 86_400.0)


def _crashed(node: NodeModel) -> NodeModel:
    return replace(node, crash_records=("dmesg-efi-177000000001001", "dmesg-efi-177000000002001"), uptime=172_000.0)


def _sudo_refused(node: NodeModel) -> NodeModel:
    return replace(node, sudo=False)


def _gpu_missing(node: NodeModel) -> NodeModel:
    return replace(node, gpu=Gpu(state="gone"))


def _drive_dead(node: NodeModel) -> NodeModel:
    line = "nvme nvme0: Device not ready; aborting reset, CSTS=0x1"
    return replace(node, drive=DriveHealth(state="dead"), kernel_lines=((node.uptime - 300, line),))


def _link_down(node: NodeModel) -> NodeModel:
    return replace(node, ethernet_up=False, kernel_lines=((node.uptime - 300, "r8127: enP7s7: link down"),))


def _pcie_errors(node: NodeModel) -> NodeModel:
    return replace(node, bus_errors=(("0000:01:00.1", 4, 2),))


def _swapped(node: NodeModel) -> NodeModel:
    return replace(node, swapped=True)


def _stale_firmware(node: NodeModel) -> NodeModel:
    return replace(node, firmware=BoardFirmware("2.148.24", "2.76.19", "0.5.7"))


def _plain_vm(node: NodeModel) -> NodeModel:
    return replace(
        node, plain_vm=True, make=plain_make(node.make), memory=Memory(available_kib=6 * 2**20, free_kib=4 * 2**20),
        driver=None, gpu=Gpu(state="gone"), cabled=None, tainted=0, cores_offline=tuple(range(CPUS, 20)),
    )  # fmt: skip


def _planted_secrets(node: NodeModel) -> NodeModel:
    return replace(node, secrets=True)


def _live(node: NodeModel) -> NodeModel:
    return replace(node, live=True)


def _reports(behaviour: str) -> Change:
    return lambda node: replace(node, reports=behaviour)


def _cores_lost(node: NodeModel) -> NodeModel:
    return replace(node, cores_offline=(15, 16, 17, 18, 19))


MACHINE_FAULTS: tuple[Fault, ...] = (
    Fault("full-disk", "root file system 98.7 % full", "fail", _full_disk),
    Fault("read-only-root", "root file system remounted read-only after an error", "fail", _read_only),
    Fault("hot", "GPU at 94 Cel, zones near 100 Cel, clocks cut", "fail", _hot),
    Fault("memory-wedge", "memory pressure near 100 %, almost nothing available", "fail", _memory_wedge),
    Fault("driver-missing", "no GPU driver for the running kernel; nvidia-smi fails", "fail", _driver_missing),
    Fault("gpu-power-wedge", "GPU busy at 611 MHz and 14 W without a reason", "fail", _power_wedge),
    Fault("gpu-missing", "the GPU is not on the PCI bus", "fail", _gpu_missing),
    Fault("gpu-reset-required", "GPU waits for a reset; nvidia-smi prints ERR!", "fail", _gpu_reset),
    Fault("hung-nvidia-smi", "nvidia-smi never comes back", "fail", _hung_nvidia_smi),
    Fault("failed-units", "two systemd units failed", "fail", _failed_units),
    Fault("clock-unsynchronised", "clock 12 s off and not synchronised", "fail", _clock_unsynchronised),
    Fault("clock-years-off", "clock stands in 2021", "fail", _clock_years_off),
    Fault("worn-drive", "NVMe drive past its rated endurance, spare below threshold", "fail", _worn_drive),
    Fault("drive-dead", "the NVMe controller does not come back", "fail", _drive_dead),
    Fault("link-down", "the Ethernet port that carries the default route has no link", "fail", _link_down),
    Fault("pcie-errors", "fatal PCIe errors of the ConnectX-7", "fail", _pcie_errors),
    Fault("plain-vm", "no Spark: a virtual machine stands in the inventory (simulated too)", "warn", _plain_vm),
    Fault("oom-kills", "processes were killed for want of memory", "warn", _oom_kills),
    Fault("reboot-pending", "a kernel update waits for a reboot since 41 days", "warn", _reboot_pending),
    Fault("kernel-crash", "crash records of a kernel panic two days ago", "warn", _crashed),
    Fault("cores-lost", "five processor cores did not start", "fail", _cores_lost),
    Fault("sudo-refused", "sudo wants a password", "pass", _sudo_refused, "sudo-refused"),
    Fault(
        "swapped",
        "another machine stands in its place: serial not the enrolled one",
        "decode.identity_mismatch",
        _swapped,
    ),
    Fault("stuck-sysfs", "reading one temperature never returns", "pass", _stuck_sysfs),
    Fault("connectx-absent", "ConnectX-7 left the bus for want of a cable: healthy", "pass", _connectx_absent),
    Fault(
        "stale-firmware",
        "its firmware did not follow DGX OS to its release: healthy, and torn for sparkctl ota",
        "pass",
        _stale_firmware,
    ),
    Fault(
        "planted-secrets",
        "secrets of every class in its logs, settings, containers and file names, all invented: healthy",
        "pass",
        _planted_secrets,
    ),
    Fault("reports-absent", "without nvidia-bug-report.sh and sos: healthy", "pass", _reports("absent")),
    Fault(
        "reports-hang", "nvidia-bug-report.sh and sos hang until systemd ends them: healthy", "pass", _reports("hang")
    ),
    Fault(
        "reports-fill", "nvidia-bug-report.sh and sos write until a limit ends them: healthy", "pass", _reports("fill")
    ),
    Fault(
        "reports-torn", "nvidia-bug-report.sh and sos die over a half-written file: healthy", "pass", _reports("torn")
    ),
    Fault(
        "reports-hostile", "archives of links, devices, bombs, names that climb: healthy", "pass", _reports("hostile")
    ),
    Fault("live-system", "started from another system than that on its drive: healthy", "pass", _live),
    Fault("erase-refused", "the same; its drive refuses a crypto erase: healthy", "pass", _live),
    Fault("erase-fails", "the same; a sanitise of its drive fails: healthy till then", "pass", _live),
    Fault("erase-stuck", "the same; a sanitise of its drive stands still at 50 %: healthy", "pass", _live),
    Fault("erase-lies", "the same; its drive says that it erased, and did not: healthy", "pass", _live),
    Fault("busy", "healthy under load: 95 % busy, 2411 MHz, 49 W", "pass", _busy),
)
"""Faults of the machine, and healthy states that are mistaken for faults."""

ACT_FAULTS: tuple[Fault, ...] = tuple(
    Fault(name, words, "pass", acts=True)
    for name, words in (
        ("reboot-never-returns", "does not come back from a reboot until it is mended: healthy till then"),
        ("reboot-slow", "comes back late from a reboot: healthy"),
        ("reboot-other-kernel", "comes back from a reboot with its oldest kernel: healthy till then"),
        ("apt-fails", "apt-get ends with an error of dpkg: healthy"),
        ("apt-locked", "another process holds the lock of dpkg: healthy"),
        ("apt-hangs", "apt-get never ends: healthy"),
        ("act-swaps-identity", "after an act another machine answers in its place: healthy till then"),
        ("inhibited", "a firmware update keeps off a shutdown: healthy"),
    )
)
"""What goes wrong when somebody changes a node; the stand-ins and the server look for these names."""
