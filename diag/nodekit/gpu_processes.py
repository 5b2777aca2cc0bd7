"""Who computes on the GPU, and which unit of systemd each process belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.acting import ActingMachine
from diag.nodekit.nvidia_smi import KERNEL_MODULE, SMI_SECONDS
from diag.nodekit.printable import one_line, printable
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

QUERY = ("nvidia-smi", "--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader,nounits")
COLUMNS = 3
MAX_SHOWN = 100  # processes


@dataclass(frozen=True)
class GpuProcess:
    """A process that holds the GPU; `unit` is None where it belongs to none."""

    pid: int
    name: str
    unit: str | None


def gpu_processes(machine: ActingMachine) -> list[GpuProcess]:
    """All of them; none where no driver is loaded. Raises MissingTool, TimeoutError, Unevaluated, ValueError."""
    if not machine.exists(KERNEL_MODULE):
        return []
    ran = machine.run(QUERY, seconds=SMI_SECONDS)
    if ran.exit_status != 0:
        words = one_line(ran.stdout or ran.stderr)[:200]
        raise Unevaluated(UnknownReason.PRECONDITION, f"nvidia-smi does not tell who computes: {words}")
    rows = [line.split(", ") for line in ran.stdout.splitlines() if line.strip()]
    if any(len(row) < COLUMNS for row in rows):
        raise ValueError("the answer of nvidia-smi is no list of processes")
    return [_process(machine, int(row[0]), row[1]) for row in rows[:MAX_SHOWN]]


def _process(machine: ActingMachine, pid: int, name: str) -> GpuProcess:
    """cgroups(7): a line `0::PATH`, of which the last unit is the process's own."""
    parts = (machine.read_or_none(f"/proc/{pid}/cgroup") or "").rpartition("::")[2].split("/")
    units = [part for part in parts if part.endswith((".service", ".scope"))]
    return GpuProcess(pid, printable(name, 80), units[-1] if units else None)
