"""What a check declares about itself; one file in `diag/checks/` is one check.

A check file `disk_space.py` has the id `disk.space` (the first underscore becomes the dot), a `CHECK`, an
`observe(machine)` that reads and an `evaluate(seen)` that judges and does no I/O. Checks that share one `observe`
function share one observation. Files are discovered by listing the folder: there is no register to edit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diag.nodekit.finding import Finding, Threshold
from diag.nodekit.machine import Machine


@dataclass(frozen=True)
class Check:
    """`required` checks count as missing evidence when unknown; `seconds` bounds the observation.

    `elevated` lists the exact argv that the observation runs as root where the run allows it.
    """

    title: str
    required: bool = False
    seconds: float = 4.0
    elevated: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class LoadedCheck:
    """A check with its id, its two halves, and the thresholds its module names."""

    check_id: str
    check: Check
    observe: Callable[[Machine], Any]
    evaluate: Callable[[Any], Finding]
    thresholds: tuple[Threshold, ...] = ()


def check_id(module_name: str) -> str:
    """The id of the check in a module: `disk_space` is `disk.space`."""
    group, _, rest = module_name.partition("_")
    return f"{group}.{rest}" if rest else group
