"""Does nvidia-smi answer, in time and without a fault in its answer?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.command import Ran
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.nvidia_smi import (
    GPU_LOST,
    GPU_SECONDS,
    KERNEL_MODULE,
    NO_DEVICE,
    NO_DRIVER,
    RESET_REQUIRED,
    SMI_SECONDS,
    VERSION_MISMATCH,
    GpuSeen,
    observe_gpu,
)
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="nvidia-smi answers", required=True, seconds=GPU_SECONDS)
ANSWER = Threshold(
    Comparison.ABOVE,
    warn=5.0,
    fail=SMI_SECONDS,
    provenance="GB10 owners measure 0.02 s; no answer at all is how a dead GSP shows (public reports, 2025-2026)",
)
LOCATOR = "nvidia-smi --query-gpu"
REBOOT = "Drain the node and reboot it (`nvidia-smi -r` does nothing on a GB10); cut the power for a minute if it stays"
# nvmlReturn_t, with what an operator can do.
EXITS = {
    NO_DEVICE: ("no GPU was found", f"Look for RmInitAdapter in gpu.xid and the kernel log. {REBOOT}"),
    NO_DRIVER: (
        "the driver is not loaded",
        "See driver.running_kernel: install the module of the running kernel, or boot a kernel that has one",
    ),
    GPU_LOST: ("the GPU fell off the bus", REBOOT),
    RESET_REQUIRED: ("the GPU requires a reset", REBOOT),
    VERSION_MISMATCH: (
        "the driver in the kernel and the libraries differ in version",
        "The driver was updated under a running kernel: drain the node and reboot it",
    ),
}
observe = observe_gpu


def evaluate(seen: GpuSeen) -> Finding:
    seen.require_gb10()
    if isinstance(seen.problem, TimeoutError):
        return _hung(seen)
    if seen.ran is None:
        raise seen.problem or Unevaluated(UnknownReason.PRECONDITION, "nvidia-smi did not run")
    if seen.ran.exit_status != 0:
        return _failed(seen.ran)
    if not seen.samples:
        raise ValueError(f"nvidia-smi printed {seen.ran.stdout.strip()[:200]!r} instead of a row of values")
    gpu = seen.samples[0]
    readings = tuple(Reading(field, cell[:1000]) for field, cell in gpu.cells.items())
    if gpu.faults:
        field, cell = gpu.faults[0]
        return Finding(
            Status.FAIL,
            f"nvidia-smi says {cell} for {field} ({len(gpu.faults)} of {len(gpu.cells)} values)",
            value=cell[:120],
            locator=LOCATOR,
            action=REBOOT,
            readings=readings,
        )
    return judged(
        ANSWER,
        round(seen.seconds, 2),
        f"nvidia-smi answered for {gpu.cells['name']} in {seen.seconds:.2f} s",
        unit="s",
        locator=LOCATOR,
        action="Look at the load and at memory.pressure; read gpu.xid for a GSP that stalls",
        readings=readings,
    )


def _hung(seen: GpuSeen) -> Finding:
    loaded = "the driver is loaded" if seen.module else f"there is no {KERNEL_MODULE}"
    return Finding(
        Status.FAIL,
        f"nvidia-smi did not answer within {SMI_SECONDS:g} s; {loaded}",
        value=round(seen.seconds, 2),
        unit="s",
        threshold=ANSWER,
        locator=LOCATOR,
        action=f"Read gpu.xid and memory.pressure for the cause. {REBOOT}",
    )


def _failed(ran: Ran) -> Finding:
    printed = " ".join(f"{ran.stdout} {ran.stderr}".split())[:300] or "nothing"
    words, action = EXITS.get(ran.exit_status, ("no known meaning", f"Run nvidia-smi by hand. {REBOOT}"))
    return Finding(
        Status.FAIL,
        f"nvidia-smi ended with {ran.exit_status}, {words}; it printed: {printed}",
        value=ran.exit_status,
        unit="1",
        threshold=Threshold(Comparison.NOT_EQUAL, fail=0, provenance="NVML API reference, nvmlReturn_t"),
        locator=LOCATOR,
        action=action,
    )
