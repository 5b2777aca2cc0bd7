"""How old a file is, by the machine's own clock."""

from __future__ import annotations

from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

DAY = 86400.0
SKEW = 3600.0  # a file this much younger than now proves nothing about the clock


def age_days(machine: Machine, path: str) -> float:
    """Days since a file was last written; raises OSError, and Unevaluated where the file is from the future."""
    seconds = machine.now() - machine.modified(path)
    if seconds < -SKEW:
        raise Unevaluated(UnknownReason.CLOCK_UNTRUSTED, f"{path} is from the future: the clock cannot be trusted")
    return round(max(0.0, seconds) / DAY, 1)
