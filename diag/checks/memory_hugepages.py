"""How much memory lies idle in huge pages? On a GB10 it is missing to the GPU as well: they share one memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.proc_files import meminfo
from diag.nodekit.vocabulary import Comparison, UnknownReason

CHECK = Check(title="Unused huge pages")
MM = "/sys/kernel/mm"
POOLS = f"{MM}/hugepages"
POOL = re.compile(r"hugepages-(\d+)kB")
UNUSED = Threshold(
    Comparison.AT_LEAST,
    warn=5.0,
    provenance="kernel, Documentation/admin-guide/mm/hugetlbpage.rst: nothing else can use them; 5 %: judgement",
)


@dataclass(frozen=True)
class Pools:
    """Bytes reserved and bytes unused over all sizes of page, and the memory of the machine in bytes."""

    reserved: int
    unused: int
    total: int


def observe(machine: Machine) -> Pools:
    pools = [(name, int(match[1]) * 1024) for name in machine.names(POOLS) if (match := POOL.fullmatch(name))]
    if not pools:
        if machine.names(MM):
            raise NotApplicable("this kernel has no huge pages")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{MM} lists nothing")
    reserved = sum(size * int(machine.read(f"{POOLS}/{name}/nr_hugepages")) for name, size in pools)
    unused = sum(size * int(machine.read(f"{POOLS}/{name}/free_hugepages")) for name, size in pools)
    return Pools(reserved, unused, meminfo(machine)["MemTotal"])


def evaluate(seen: Pools) -> Finding:
    share = round(100 * seen.unused / seen.total, 1)
    return judged(
        UNUSED,
        share,
        f"{seen.unused / 2**30:.1f} of {seen.reserved / 2**30:.1f} GiB in huge pages lie idle",
        action="Find who reserved them (vm.nr_hugepages, hugepages= on the kernel command line) and give them back: "
        "`sysctl vm.nr_hugepages=0`",
        unit="%",
        locator=POOLS,
        readings=(Reading("reserved", seen.reserved, "By", POOLS), Reading("unused", seen.unused, "By", POOLS)),
    )
