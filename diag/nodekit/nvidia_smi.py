"""Ask nvidia-smi once for everything that the GPU checks judge, and read its many ways of not answering.

On a GB10 the memory, the fan, the power limit and the memory clock are `[N/A]` for good: the GPU shares the memory of
the machine. `[GPU requires reset]`, `[Unknown Error]`, `[GPU is lost]` and `ERR!` in a cell are faults.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from diag.nodekit.command import Ran
from diag.nodekit.machine import Machine
from diag.nodekit.platform import Evidence, platform_evidence
from diag.nodekit.problems import MissingTool, NotApplicable, Unevaluated
from diag.nodekit.proc_files import number
from diag.nodekit.vocabulary import Origin, UnknownReason

FIELDS = (
    "name", "pci.bus_id", "driver_version", "pstate", "persistence_mode", "temperature.gpu", "power.draw",
    "utilization.gpu", "clocks.sm", "clocks.max.sm", "clocks.applications.graphics", "clocks_event_reasons.active",
    "memory.total", "memory.used", "gpu_recovery_action",
)  # fmt: skip
GPU_SECONDS = 12.0  # for Check.seconds
SMI_SECONDS = 10.0
QUICK_SECONDS = 1.0  # a slow nvidia-smi is not asked again
BUSY_PERCENT = 90.0
SAMPLES = 3
SAMPLE_PAUSE = 0.5
# NVML, nvmlClocksEventReasons: the bits that checks judge.
SW_POWER_CAP, HW_SLOWDOWN, APPLICATION_CLOCKS = 0x4, 0x8, 0x2
SW_THERMAL, HW_THERMAL, HW_POWER_BRAKE = 0x20, 0x40, 0x80
# nvmlReturn_t, which nvidia-smi ends with.
NO_DEVICE, NO_DRIVER, GPU_LOST, RESET_REQUIRED, VERSION_MISMATCH = 6, 9, 15, 16, 18
UNSUPPORTED = frozenset({"N/A", "NOT SUPPORTED", "NOT AVAILABLE", "NOT ACTIVE OR SUPPORTED"})
FAULTS = ("REQUIRES RESET", "IS LOST", "UNKNOWN ERROR", "ERR!")
INVALID_FIELD = re.compile(r'Field "([a-z_.]+)" is not a valid field to query')
KERNEL_MODULE = "/proc/driver/nvidia/version"


def query(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The command line that asks for these fields."""
    return ("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits")


QUERY = query(FIELDS)


@dataclass(frozen=True)
class Gpu:
    """One row of the answer: text by field, as printed."""

    cells: dict[str, str]

    def text(self, field: str) -> str:
        """A value; raises NotApplicable for `[N/A]`, Unevaluated for a fault or a field that was not answered."""
        cell = self.cells.get(field, "")
        bare = cell.strip("[] ").upper()
        if bare in UNSUPPORTED:
            raise NotApplicable(f"nvidia-smi says {cell} for {field}")
        if not bare:
            raise Unevaluated(UnknownReason.PRECONDITION, f"nvidia-smi gives no {field}")
        if is_fault(cell):
            raise Unevaluated(UnknownReason.IO_ERROR, f"nvidia-smi says {cell} for {field}; see gpu.query")
        return cell

    def number(self, field: str) -> float:
        """A finite number; raises as `text` does, and ValueError."""
        return number(self.text(field))

    def supported_number(self, field: str) -> float:
        """A number that every healthy GB10 gives: `[N/A]` raises Unevaluated here, for it proves nothing absent."""
        try:
            return self.number(field)
        except NotApplicable as absent:
            raise Unevaluated(UnknownReason.PRECONDITION, f"{absent}, which a healthy GB10 gives") from absent

    def reasons(self) -> int:
        """The bits of why clocks are held; raises as `text` does, and ValueError."""
        try:
            return int(self.text("clocks_event_reasons.active"), 16)
        except NotApplicable as absent:
            raise Unevaluated(UnknownReason.PRECONDITION, f"{absent}, which a healthy GB10 gives") from absent

    @property
    def faults(self) -> tuple[tuple[str, str], ...]:
        """Fields whose value is a fault, with what was printed."""
        return tuple((field, cell) for field, cell in self.cells.items() if is_fault(cell))


@dataclass(frozen=True)
class GpuSeen:
    """What nvidia-smi did. `samples` has one row, or more under load; `ran` is None when it did not come back.

    `module` is the text of /proc/driver/nvidia/version, None when the driver is not loaded.
    """

    evidence: Evidence
    ran: Ran | None = None
    problem: Exception | None = None
    seconds: float = 0.0
    samples: tuple[Gpu, ...] = ()
    module: str | None = None

    def gpu(self) -> Gpu:
        """The first sample; raises NotApplicable on other machines, else Unevaluated when there are no values."""
        self.require_gb10()
        if self.ran is None:
            raise self.problem or Unevaluated(UnknownReason.PRECONDITION, "nvidia-smi did not run")
        if self.ran.exit_status != 0 or not self.samples:
            raise Unevaluated(
                UnknownReason.PRECONDITION,
                f"nvidia-smi gives no values (exit status {self.ran.exit_status}); see gpu.query",
            )
        return self.samples[0]

    def require_gb10(self) -> None:
        """Raise NotApplicable on a machine that is proven to be another one, Unevaluated where nobody knows."""
        require_gb10(self.evidence)


def require_gb10(evidence: Evidence) -> None:
    """Raise NotApplicable on a machine that is proven to be another one, Unevaluated where nobody knows."""
    if evidence.is_gb10 is False:
        raise NotApplicable(f"not a GB10: {evidence.words}")
    if evidence.is_gb10 is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the evidence for a GB10 does not suffice: {evidence.words}")


def is_fault(cell: str) -> bool:
    """Whether a value that nvidia-smi printed is a fault of the GPU."""
    return any(fault in cell.upper() for fault in FAULTS)


def observe_gpu(machine: Machine) -> GpuSeen:
    """Ask nvidia-smi on a GB10 (and nobody elsewhere), several times when the GPU is busy."""
    evidence = platform_evidence(machine)
    if evidence.is_gb10 is not True:
        return GpuSeen(evidence)
    module = machine.read_or_none(KERNEL_MODULE)
    started = machine.clock()
    try:
        ran, fields = _ask(machine)
    except (MissingTool, OSError) as problem:
        return GpuSeen(evidence, problem=problem, seconds=machine.clock() - started, module=module)
    seconds = machine.clock() - started
    first = parse_row(ran, fields)
    samples: tuple[Gpu, ...] = () if first is None else (first,)
    if first is not None and _busy(first) and seconds < QUICK_SECONDS:
        samples += _more(machine, fields)
    return GpuSeen(evidence, ran, None, seconds, samples, module)


def parse_row(ran: Ran, fields: tuple[str, ...]) -> Gpu | None:
    """The row of the GB10, None where nvidia-smi failed or printed something else."""
    if ran.exit_status != 0:
        return None
    rows = [[cell.strip() for cell in line.split(",")] for line in ran.stdout.splitlines()]
    whole = [Gpu(dict(zip(fields, row, strict=True))) for row in rows if len(row) == len(fields)]
    return next((gpu for gpu in whole if "GB10" in gpu.cells["name"]), whole[0] if whole else None)


def _ask(machine: Machine) -> tuple[Ran, tuple[str, ...]]:
    """Ask for the fields; a driver that does not know one is asked again without it."""
    ran = machine.run(QUERY, seconds=SMI_SECONDS)
    invalid = INVALID_FIELD.search(ran.stdout + ran.stderr)
    if ran.exit_status == 0 or invalid is None:
        return ran, FIELDS
    fields = tuple(field for field in FIELDS if field != invalid[1])
    return machine.run(query(fields), seconds=SMI_SECONDS / 5), fields


def _busy(gpu: Gpu) -> bool:
    try:
        return gpu.number("utilization.gpu") >= BUSY_PERCENT
    except (NotApplicable, Unevaluated, ValueError):
        return False


def _more(machine: Machine, fields: tuple[str, ...]) -> tuple[Gpu, ...]:
    samples = []
    for _ in range(SAMPLES - 1):
        if machine.origin == Origin.LIVE:
            time.sleep(SAMPLE_PAUSE)  # a recording does not change while one waits
        try:
            gpu = parse_row(machine.run(query(fields), seconds=QUICK_SECONDS), fields)
        except (MissingTool, OSError):
            break
        if gpu is None:
            break
        samples.append(gpu)
    return tuple(samples)
