"""The kernel log of a simulated node: the usual noise of a healthy GB10, and what a fault adds."""

from sparkctl.lab.node_model import KERNEL_BANNER, NodeModel

USUAL: tuple[tuple[float, str], ...] = (
    (0.0, "Booting Linux on physical CPU 0x0000000000 [0x410fd871]"),
    (0.0, "Linux version {kernel} (buildd@bos03-arm64-017) {banner}"),
    (0.012, "PCI: OF: of_root node is NULL, cannot create PCI host bridge node"),
    (0.4, "processor cpu0: EM: CPUs of 0-4,10-14 must have the same capacity"),
    (0.8, "ARM FF-A: failed to register FFA RxTx buffers"),
    (1.1, "cma: __cma_alloc: reserved: alloc failed, req-size: 256 pages, ret: -16"),
    (1.9, "nvme nvme0: 20/0/0 default/read/poll queues"),
    (2.3, "EXT4-fs (nvme0n1p2): mounted filesystem r/w with ordered data mode. Quota mode: none."),
    (3.9, "nvidia: loading out-of-tree module taints kernel."),
    (4.2, "r8127: enP7s7: link up"),
    (9.7, "watchdog: watchdog0: watchdog did not stop!"),
    (61.5, 'audit: type=1400 apparmor="DENIED" operation="capable" profile="perfmon"'),
)
DRIVER_LINES: tuple[tuple[float, str], ...] = (
    (4.0, "NVRM: loading NVIDIA UNIX Open Kernel Module for aarch64  {driver}  Release Build  (simulated)"),
    (4.6, "[drm] Initialized nvidia-drm 0.0.0 for 000f:01:00.0 on minor 1"),
)
CONNECTX_LINES: tuple[tuple[float, str], ...] = (
    (5.1, "mlx5_core 0000:01:00.0: firmware version: 28.45.4028"),
    (5.2, "mlx5_core 0000:01:00.0: mlx5_pcie_event:301:(pid 612): Detected insufficient power on the PCIe slot (27W)."),
    (5.4, "mlx5_core 0000:01:00.1: Port module event: module 1, Cable unplugged"),
)
HOTPLUG_LINES: tuple[tuple[float, str], ...] = (
    (5.1, "cx7-pcie-hotplug MTKP0001:00: Hotplug enabled"),
    (7.8, "cx7-pcie-hotplug MTKP0001:00: Cable removal"),
)


def kernel_messages(node: NodeModel) -> list[tuple[float, str]]:
    """Seconds since boot and text of every message, oldest first."""
    usual = ((at, text.format(kernel=node.kernel, banner=KERNEL_BANNER)) for at, text in USUAL)
    lines = [*usual, *node.kernel_lines]
    if node.module_loaded:
        lines += [(at, text.format(driver=node.driver)) for at, text in DRIVER_LINES]
    lines += HOTPLUG_LINES if node.cabled is None else CONNECTX_LINES
    return sorted(line for line in lines if line[0] <= node.uptime)


def monotonic_journal(node: NodeModel) -> str:
    """As `journalctl -r -o short-monotonic` prints them, newest first."""
    return "".join(f"[{at:12.6f}] {node.name} kernel: {text}\n" for at, text in reversed(kernel_messages(node)))
