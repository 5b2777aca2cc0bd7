"""Memory, pressure and uptime as /proc tells them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

MEMINFO = "/proc/meminfo"
UPTIME = "/proc/uptime"
VMSTAT = "/proc/vmstat"
PRESSURE = "/proc/pressure"


@dataclass(frozen=True)
class Pressure:
    """Share of time in percent that tasks waited for a resource, over the last 10 and 60 seconds.

    `some`: at least one task waited; `full`: every task that had work waited, none got on. `full` is None where the
    kernel does not keep it.
    """

    some10: float
    some60: float
    full10: float | None
    full60: float | None


def meminfo(machine: Machine) -> dict[str, int]:
    """The fields of /proc/meminfo that have a size, in bytes; raises OSError, ValueError."""
    sizes = {}
    for line in machine.read(MEMINFO).splitlines():
        name, _, rest = line.partition(":")
        size, _, unit = rest.strip().partition(" ")
        if unit == "kB":
            sizes[name] = int(size) * 1024
    if not sizes.get("MemTotal"):
        raise ValueError(f"{MEMINFO} has no MemTotal")
    return sizes


def pressure(machine: Machine, resource: str) -> Pressure:
    """The pressure on `cpu`, `memory` or `io`; raises Unevaluated where the kernel keeps no such statistics."""
    text = machine.read_or_none(f"{PRESSURE}/{resource}")
    if text is None:
        raise Unevaluated(UnknownReason.PRECONDITION, f"the kernel keeps no {PRESSURE}/{resource}")
    rows = {}
    for line in text.splitlines():
        kind, *fields = line.split()
        rows[kind] = dict(field.split("=", 1) for field in fields)
    some, full = rows.get("some", {}), rows.get("full", {})
    if "avg10" not in some or "avg60" not in some:
        raise ValueError(f"{PRESSURE}/{resource} does not tell averages")
    return Pressure(
        some10=number(some["avg10"]),
        some60=number(some["avg60"]),
        full10=number(full["avg10"]) if "avg10" in full else None,
        full60=number(full["avg60"]) if "avg60" in full else None,
    )


def uptime(machine: Machine) -> float:
    """Seconds since boot; raises OSError, ValueError."""
    fields = machine.read(UPTIME).split()
    if not fields:
        raise ValueError(f"{UPTIME} is empty")
    return number(fields[0])


def number(text: str) -> float:
    """A finite number; raises ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value
