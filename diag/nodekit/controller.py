"""What a controller is: it looks whether it may, says with which exact command it does, and looks whether it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diag.controllers.words import ControlResult
from diag.nodekit.acting import ActingMachine
from diag.nodekit.parameters import Parameter

Scalar = str | int | bool | None
Seen = dict[str, Scalar]
Argv = tuple[str, ...]
THEN = "--then"
"""Between two commands of one argv: the second runs when the first has ended well."""


class Refused(Exception):
    """It must not be done now: `reason` is a stable code, `seen` what was looked at."""

    def __init__(self, reason: str, summary: str, seen: Mapping[str, Scalar] | None = None) -> None:
        super().__init__(summary)
        self.reason = reason
        self.seen = dict(seen or {})


@dataclass(frozen=True)
class Asked:
    """One phase of one act: the parameters by their name, the boot on which it was or shall be done.

    `before` is what the act's precheck observed, for those phases that must know how it was.
    """

    given: Mapping[str, Any]
    boot_id: str
    before: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a look came to, with the reason where it is not as wished, and what was looked at."""

    result: str
    summary: str
    reason: str | None = None
    observed: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Controller:
    """One way to change a node.

    `precheck` answers READY or HOLDS and raises Refused; `postcheck` answers HOLDS or LACKS; whatever else they raise
    is UNKNOWN. `argv` and `undo` give the exact command, of what the precheck of this very phase observed (`before`);
    an empty one says that there is nothing to do. Where there is no way back, `no_undo` says why. `needs_before` says
    that `undo` must be told what the act's precheck observed. `longest_s` bounds the command. `settles` says that the
    node is still there to tell the end of a quick act. `environment` is set for the command.
    """

    title: str
    parameters: Mapping[str, Parameter]
    precheck: Callable[[ActingMachine, Asked], Verdict]
    argv: Callable[[Asked], Argv]
    postcheck: Callable[[ActingMachine, Asked], Verdict]
    longest_s: float
    undo: Callable[[Asked], Argv] | None = None
    no_undo: str = ""
    needs_before: bool = False
    settles: bool = True
    environment: tuple[str, ...] = ()


def ready(summary: str, **observed: Scalar) -> Verdict:
    """It may be applied."""
    return Verdict(ControlResult.READY, summary, observed=observed)


def holds(summary: str, **observed: Scalar) -> Verdict:
    """What it is for is so."""
    return Verdict(ControlResult.HOLDS, summary, observed=observed)


def lacks(reason: str, summary: str, **observed: Scalar) -> Verdict:
    """What it is for is not so."""
    return Verdict(ControlResult.LACKS, summary, reason, observed)
