"""Would a kernel crash leave a memory image? Not on a stock GB10, which reserves no memory for it: reported."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.machine import Machine
from diag.nodekit.problems import NotApplicable, Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="Crash capture")
KERNEL = "/sys/kernel"
LOADED = "/sys/kernel/kexec_crash_loaded"
SIZE = "/sys/kernel/kexec_crash_size"


@dataclass(frozen=True)
class Capture:
    """Whether a crash kernel is loaded, and the bytes reserved for it (None when not told)."""

    loaded: bool
    reserved: int | None


def observe(machine: Machine) -> Capture:
    loaded = machine.read_or_none(LOADED)
    if loaded is None:
        if machine.names(KERNEL):
            raise NotApplicable("this kernel cannot capture a crash")
        raise Unevaluated(UnknownReason.PRECONDITION, f"{KERNEL} lists nothing")
    if loaded not in ("0", "1"):
        raise ValueError(f"{LOADED} is neither 0 nor 1")
    reserved = machine.read_or_none(SIZE)
    return Capture(loaded == "1", None if reserved is None else int(reserved))


def evaluate(seen: Capture) -> Finding:
    state = "is loaded: a panic leaves a vmcore" if seen.loaded else "is not loaded: a panic leaves no vmcore"
    return Finding(
        Status.PASS,
        f"A crash kernel {state}",
        value=seen.loaded,
        locator=LOADED,
        readings=(Reading("reserved", seen.reserved, "By", SIZE),),
    )
