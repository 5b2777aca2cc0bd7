"""What the kernel of a GB10 says when something goes wrong, in the words that owners of real machines published."""

from collections.abc import Iterator

from sparkctl.lab.node_model import KERNEL as RELEASE
from sparkctl.lab.node_model import KERNEL_BANNER, NodeModel
from sparkctl.lab.reset_story import ALERT, CRITICAL, EMERGENCY, ERROR, INFO, KERNEL, WARNING, Line

NO_MEMORY = (
    "NVRM: nvCheckOkFailedNoLog: Check failed: Out of memory [NV_ERR_NO_MEMORY] (0x00000051) returned from "
    "_memdescAllocInternal(pMemDesc) @ mem_desc.c:1359"
)
SYSRQ = ("sysrq: Emergency Sync", "Emergency Sync complete", "sysrq: Emergency Remount R/O")
BUILD = KERNEL_BANNER.split(" SMP ", maxsplit=1)[0]
XIDS = {
    119: "pid=3849, name=python3, Timeout after 45s of waiting for RPC response from GPU0 GSP! Expected function 76",
    120: "pid=9111, name=python3, GSP task exception: load access fault",
    154: "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)",
}


def said(at: float, level: int, *messages: str, step: float = 0.000_9) -> Iterator[Line]:
    """Messages of the kernel, one right after the other."""
    for number, message in enumerate(messages):
        yield Line(at + number * step, KERNEL, message, level=level)


def xid(at: float, number: int) -> Line:
    """An error of the GPU's driver by its number."""
    return Line(at, KERNEL, f"NVRM: Xid (PCI:000f:01:00): {number}, {XIDS[number]}", level=ERROR)


def no_memory(at: float, count: int, step: float) -> Iterator[Line]:
    """The driver gets no memory, again and again."""
    for number in range(count):
        yield Line(at + number * step, KERNEL, NO_MEMORY, level=ERROR)


def containers(start: float, count: int, step: float) -> Iterator[Line]:
    """What the bridge of docker says whenever a container starts: most of the kernel log of a node that works."""
    for number in range(count):
        inside, outside = f"veth{0x4A1C9F2 + number * 0x5D3:07x}", f"veth{0x77AA01C + number * 0x2B9:07x}"
        yield from said(
            start + number * step, INFO, f"docker0: port 1({inside}) entered blocking state",
            f"docker0: port 1({inside}) entered disabled state", f"{inside}: entered allmulticast mode",
            f"{inside}: entered promiscuous mode", f"eth0: renamed from {outside}",
            f"docker0: port 1({inside}) entered forwarding state",
        )  # fmt: skip


def serror_panic(node: NodeModel, at: float) -> Iterator[Line]:
    """An asynchronous external abort, which arm64 never survives."""
    yield from said(at, CRITICAL, "SError Interrupt on CPU12, code 0x00000000be000011 -- SError")
    yield from said(at + 0.001, WARNING, *_header(node, 12, 48_211, "VLLM::EngineCor", "   M       O"))
    yield from said(at + 0.003, EMERGENCY, "Kernel panic - not syncing: Asynchronous SError Interrupt")
    trace = ("show_stack+0x18/0x30 (C)", "dump_stack_lvl+0x7c/0xa0", "vpanic+0xf8/0x2dc", "nmi_panic+0x90/0x98",
             "arm64_serror_panic+0x70/0x80", "do_serror+0x58/0x74", "el1h_64_error_handler+0x38/0x60")  # fmt: skip
    yield from said(at + 0.004, WARNING, *_header(node, 12, 48_211, "VLLM::EngineCor", "   M       O"), *_trace(*trace))
    yield from said(at + 0.02, EMERGENCY, "SMP: stopping secondary CPUs", "Kernel Offset: 0x2a5f8ea00000 from 0x0")


def oops(node: NodeModel, at: float) -> Iterator[Line]:
    """A fault in a module, which costs the process that ran into it and no more."""
    yield from said(
        at, ALERT, "Unable to handle kernel paging request at virtual address 00000b6c000003c0", "Mem abort info:",
        "  ESR = 0x0000000096000004", "  EC = 0x25: DABT (current EL), IL = 32 bits",
        "  FSC = 0x04: level 0 translation fault", "[00000b6c000003c0] pgd=0000000000000000, p4d=0000000000000000",
    )  # fmt: skip
    yield from said(at + 0.008, EMERGENCY, "Internal error: Oops: 0000000096000004 [#1]  SMP")
    registers = ("pc : mst_ioctl+0x960/0x1810 [mstflint_access]", "lr : mst_ioctl+0x954/0x1810 [mstflint_access]")
    trace = ("mst_ioctl+0x960/0x1810 [mstflint_access] (P)", "__arm64_sys_ioctl+0xb4/0x100", "el0_svc+0x40/0x1a0")
    yield from said(
        at + 0.009, WARNING, *_header(node, 13, 176_808, "mstflint", "        W  O"), *registers, *_trace(*trace)
    )
    yield from said(at + 0.03, EMERGENCY, "---[ end trace 0000000000000000 ]---")


def smmu_stall(at: float) -> Iterator[Line]:
    """A ConnectX-7 that stops answering, then the SMMU that waits for it: nothing behind it reaches the disk any more.

    Adapter, drive and wireless stand behind the same SMMU. Lasts some 1.2 s.
    """
    port = "0000:01:00.1"
    yield from said(
        at, WARNING,
        f"pcieport 0000:00:00.0: AER: Uncorrectable (Non-Fatal) error message received from {port}",
        f"mlx5_core {port}: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester ID)",
        f"mlx5_core {port}:   device [15b3:1021] error status/mask=00004000/00000000",
        f"mlx5_core {port}:    [14] CmpltTO                (First)",
        f"mlx5_core {port}: mlx5_pci_err_detected Device state = 1 health sensors: 0 pci_status: 1.",
    )  # fmt: skip
    for number in range(8):
        timeout = "CMD_SYNC timeout at 0x00017be3 [hwprod 0x00017bea, hwcons 0x00017be3]"
        yield Line(at + 1.085 + number * 0.01, KERNEL, f"arm-smmu-v3 arm-smmu-v3.0.auto: {timeout}", level=ERROR)


def hung_task_panic(node: NodeModel, at: float) -> Iterator[Line]:
    """A task that waits for a disk for longer than it may, on a node where that is reason to panic."""
    yield from said(
        at, ERROR, "INFO: task kworker/u80:3:611 blocked for more than 120 seconds.",
        f"      Tainted: G        W  O        {RELEASE} {BUILD}",
        '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
    )  # fmt: skip
    yield from said(at + 0.004, EMERGENCY, "Kernel panic - not syncing: hung_task: blocked tasks")
    trace = ("show_stack+0x18/0x30 (C)", "vpanic+0xf8/0x2dc", "panic+0x5c/0x60", "watchdog+0x2a8/0x3f0",
             "kthread+0x110/0x124", "ret_from_fork+0x10/0x20")  # fmt: skip
    yield from said(at + 0.005, WARNING, *_header(node, 3, 139, "khungtaskd", "        W  O"), *_trace(*trace))
    yield from said(at + 0.02, EMERGENCY, "SMP: stopping secondary CPUs")


def out_of_memory(at: float) -> Iterator[Line]:
    """The kernel ends the process that takes most memory."""
    yield from said(
        at, WARNING,
        "VLLM::EngineCor invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0",
        "Mem-Info:", "Tasks state (memory values in pages):",
    )  # fmt: skip
    sizes = "total-vm:213412220kB, anon-rss:91230012kB, file-rss:2048kB, shmem-rss:0kB, UID:1000"
    yield from said(at + 0.01, ERROR, f"Out of memory: Killed process 48211 (VLLM::EngineCor) {sizes}")


def _header(node: NodeModel, cpu: int, pid: int, name: str, taint: str) -> tuple[str, str]:
    dmi = node.make.dmi
    board = f"{dmi['sys_vendor']} {dmi['product_name']}/{dmi['board_name']}"
    return (
        f"CPU: {cpu} UID: 0 PID: {pid} Comm: {name} Tainted: G{taint}        {RELEASE} {BUILD} PREEMPT(none)",
        f"Hardware name: {board}, BIOS {dmi['bios_version']} {dmi['bios_date']}",
    )


def _trace(*frames: str) -> tuple[str, ...]:
    return ("Call trace:", *(f" {frame}" for frame in frames))
