"""/proc of a simulated node."""

from sparkctl.lab.node_model import KERNEL_BANNER, NodeModel
from sparkctl.lab.tree import Tree

A725, X925 = "0xd87", "0xd85"
A725_CORES = frozenset((*range(5), *range(10, 15)))
FEATURES = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 "
    "sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm sb paca pacg dcpodp sve2 sveaes svepmull svebitperm "
    "svesha3 svesm4 flagm2 frint svei8mm svebf16 i8mm bf16 dgh bti ecv afp wfxt"
)
MODULES = (
    "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia", "mlx5_ib", "mlx5_core", "r8127", "mt7925e", "nvme",
    "sbsa_gwdt", "overlay", "br_netfilter",
)  # fmt: skip
LIVE_ROOT = "overlay / overlay rw,relatime,lowerdir=/run/live/lower,upperdir=/run/live/upper,workdir=/run/live/work 0 0"
SNAPS = (("snapd", 26382), ("firefox", 7767), ("gnome-42-2204", 245), ("snap-store", 1271))


def add_proc(tree: Tree, node: NodeModel) -> None:
    """Everything under /proc."""
    _kernel(tree, node)
    _processors(tree, node)
    _memory(tree, node)
    _mounts(tree, node)
    _driver(tree, node)


def command_line(node: NodeModel) -> str:
    """What GRUB hands to the kernel of DGX OS."""
    return (
        f"BOOT_IMAGE=/boot/vmlinuz-{node.kernel} root=UUID={node.filesystem_uuid} ro init_on_alloc=0 console=tty0 "
        "plymouth.ignore-serial-consoles plymouth.use-simpledrm earlycon=uart,mmio32,0x16A00000 console=tty0 "
        "console=ttyS0,921600 crashkernel=1G-:0M quiet splash pci=pcie_bus_safe iommu.passthrough=0 "
        "initcall_blacklist=tegra234_cbb_init vt.handoff=7"
    )


def root_options(node: NodeModel) -> str:
    """The mount options of the root file system; the kernel remounts it read-only after an error."""
    return f"{'ro' if node.root.read_only else 'rw'},relatime,errors=remount-ro"


def _kernel(tree: Tree, node: NodeModel) -> None:
    tree.put(
        "/proc",
        cmdline=command_line(node),
        version=f"Linux version {node.kernel} (buildd@bos03-arm64-017) {KERNEL_BANNER}",
        uptime=f"{node.uptime:.2f} {node.uptime * 19.6:.2f}",
        modules="\n".join(f"{name} 45056 0 - Live 0x0000000000000000" for name in _modules(node)),
        mdstat="Personalities : \nunused devices: <none>",
    )
    tree.put("/proc/1", comm="systemd", cmdline="/sbin/init\0splash")
    for pid, _, _ in node.gpu.processes:
        tree.put(f"/proc/{pid}", cgroup="0::/system.slice/vllm.service")
    tree.put(
        "/proc/sys/kernel",
        hostname=node.name,
        osrelease=node.kernel,
        ostype="Linux",
        version=KERNEL_BANNER,
        tainted=node.tainted,
        numa_balancing=0,
        dmesg_restrict=1,
        panic=0,
    )
    tree.put("/proc/sys/kernel/random", boot_id=node.boot_id)
    tree.put("/proc/sys/vm", swappiness=60, min_free_kbytes=67584, overcommit_memory=0)


def _modules(node: NodeModel) -> tuple[str, ...]:
    gone = set() if node.module_loaded else {name for name in MODULES if name.startswith("nvidia")}
    gone |= {"mlx5_ib", "mlx5_core"} if node.cabled is None else set()
    return tuple(name for name in MODULES if name not in gone)


def _processors(tree: Tree, node: NodeModel) -> None:
    blocks = (
        f"processor\t: {core}\nBogoMIPS\t: 2000.00\nFeatures\t: {FEATURES}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {A725 if core in A725_CORES else X925}\n"
        "CPU revision\t: 1\n"
        for core in node.cores
    )
    tree.put("/proc", cpuinfo="\n".join(blocks))
    one, five, fifteen = node.load.average
    tree.put("/proc", loadavg=f"{one:.2f} {five:.2f} {fifteen:.2f} {node.load.running}/812 41207")
    system = int(node.uptime * (90 if node.memory.full[0] > 50 else 1))
    jiffies = f"{int(node.uptime * 3)} 120 {system} {int(node.uptime * 1950)} 880 0 210 0 0 0"
    per_core = "\n".join(f"cpu{core} {jiffies}" for core in node.cores)
    tree.put(
        "/proc",
        stat=f"cpu  {jiffies}\n{per_core}\nintr 812340012\nctxt 1903442211\nprocesses 612003\nprocs_running "
        f"{node.load.running}\nprocs_blocked 0",
    )
    tree.put(
        "/proc/pressure",
        cpu=f"{_pressure('some', node.load.cpu_some)}\n{_pressure('full', (0.0, 0.0, 0.0))}",
        io=f"{_pressure('some', node.load.io_some)}\n{_pressure('full', node.load.io_full)}",
        memory=f"{_pressure('some', node.memory.some)}\n{_pressure('full', node.memory.full)}",
    )


def _pressure(kind: str, averages: tuple[float, float, float]) -> str:
    ten, sixty, more = averages
    return f"{kind} avg10={ten:.2f} avg60={sixty:.2f} avg300={more:.2f} total={int(more * 3_000_000)}"


def _memory(tree: Tree, node: NodeModel) -> None:
    memory, total = node.memory, node.make.memory_kib
    cached = max(memory.available_kib - memory.free_kib, 0)
    sizes = {
        "MemTotal": total,
        "MemFree": min(memory.free_kib, total),
        "MemAvailable": min(memory.available_kib, total),
        "Buffers": 412_440,
        "Cached": cached,
        "SwapCached": 0,
        "Active": cached // 2,
        "Inactive": cached // 2,
        "SwapTotal": memory.swap_total_kib,
        "SwapFree": memory.swap_free_kib,
        "Dirty": 412,
        "Writeback": 0,
        "AnonPages": 2_480_112,
        "Mapped": 812_304,
        "Shmem": 62_108,
        "Slab": 1_104_220,
        "SReclaimable": 702_344,
        "SUnreclaim": 401_876,
        "KernelStack": 18_112,
        "PageTables": 41_220,
        "CommitLimit": total // 2 + memory.swap_total_kib,
        "Committed_AS": 8_412_220,
        "Percpu": 30_720,
        "Hugepagesize": 2048,
    }
    tree.put("/proc", meminfo="\n".join(f"{name + ':':<16}{size:>8} kB" for name, size in sizes.items()))
    swapped = memory.swap_total_kib - memory.swap_free_kib
    rows = f"/swap.img                               file\t\t{memory.swap_total_kib}\t\t{swapped}\t\t-2"
    header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"
    tree.put("/proc", swaps=f"{header}\n{rows}" if memory.swap_total_kib else header)
    tree.put(
        "/proc",
        vmstat=f"nr_free_pages {memory.free_kib // 4}\npgmajfault 214003\npswpin 0\npswpout {swapped // 4}\n"
        f"oom_kill {memory.oom_kills}",
    )


def _mounts(tree: Tree, node: NodeModel) -> None:
    rows = [
        "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0",
        "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0",
        "udev /dev devtmpfs rw,nosuid,relatime,size=62741520k,nr_inodes=15685380,mode=755 0 0",
        "tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=12760076k,mode=755 0 0",
        LIVE_ROOT if node.live else f"/dev/nvme0n1p2 / ext4 {root_options(node)} 0 0",
        "securityfs /sys/kernel/security securityfs rw,nosuid,nodev,noexec,relatime 0 0",
        "tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0",
        "pstore /sys/fs/pstore pstore rw,nosuid,nodev,noexec,relatime 0 0",
        "efivarfs /sys/firmware/efi/efivars efivarfs rw,nosuid,nodev,noexec,relatime 0 0",
        *(f"/dev/loop{at} /snap/{name}/{rev} squashfs ro,nodev,relatime 0 0" for at, (name, rev) in enumerate(SNAPS)),
    ]
    if not node.live:
        rows.append("/dev/nvme0n1p1 /boot/efi vfat rw,relatime,fmask=0077,dmask=0077,codepage=437,shortname=mixed 0 0")
    tree.put("/proc", mounts="\n".join(rows))
    tree.put("/proc/self", mounts="\n".join(rows))


def _driver(tree: Tree, node: NodeModel) -> None:
    if not node.module_loaded:
        return
    tree.put(
        "/proc/driver/nvidia",
        version=f"NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  {node.driver}  Release Build  "
        "(simulated)\nGCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)",
    )
    if node.gpu.state == "gone":
        return
    tree.put(
        "/proc/driver/nvidia/gpus/000f:01:00.0",
        information="Model: \t\t NVIDIA GB10\nIRQ:   \t\t 142\n"
        f"GPU UUID: \t {node.gpu_uuid}\nVideo BIOS: \t ??.??.??.??.??\n"
        "Bus Type: \t PCIe\nBus Location: \t 000f:01:00.0\nGPU Firmware: \t "
        f"{node.driver}\nGPU Excluded:\t No",
    )
