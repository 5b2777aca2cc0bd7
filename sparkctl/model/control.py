"""What a controller answers: the one program that changes a node, one act and one phase of it at a time."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Sha256Hex, Text, Word
from sparkctl.model.envelope import Count, Envelope

ActId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""The name of an act: derived from run, node, step and attempt, so that the same act always has the same name."""

ControllerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
"""The name of a file in `diag/controllers/`, with hyphens."""

Scalar = Text | int | bool | None


class ControlPhase(StrEnum):
    """What is asked of a controller; only `apply` and `undo` change the node."""

    PRECHECK = "precheck"
    APPLY = "apply"
    OBSERVE = "observe"
    POSTCHECK = "postcheck"
    UNDO = "undo"


class ControlResult(StrEnum):
    """What it answers; each belongs to the phases named beside it."""

    READY = "ready"  # precheck: it may be applied
    HOLDS = "holds"  # precheck, postcheck: what it is for is so
    LACKS = "lacks"  # postcheck: what it is for is not so
    STARTED = "started"  # apply, undo: it goes on in a unit of its own
    DONE = "done"  # apply, undo, observe: it has ended, and ended well
    FAILED = "failed"  # apply, undo, observe: it has ended, and badly
    RUNNING = "running"  # observe: it goes on
    ABSENT = "absent"  # observe: this boot knows of no such act
    REFUSED = "refused"  # any: it must not be done now, for `reason`; nothing was changed
    UNKNOWN = "unknown"  # any: it cannot be told, for `reason`


_STARTING = frozenset({ControlResult.STARTED, ControlResult.DONE, ControlResult.FAILED})
ANSWERS = {
    ControlPhase.PRECHECK: frozenset({ControlResult.READY, ControlResult.HOLDS}),
    ControlPhase.APPLY: _STARTING,
    ControlPhase.UNDO: _STARTING,
    ControlPhase.OBSERVE: frozenset({
        ControlResult.RUNNING, ControlResult.DONE, ControlResult.FAILED, ControlResult.ABSENT,
    }),
    ControlPhase.POSTCHECK: frozenset({ControlResult.HOLDS, ControlResult.LACKS}),
}  # fmt: skip
"""What each phase may answer, beside REFUSED and UNKNOWN, which any may."""


class ControlData(Record):
    """One phase of one act.

    `argv` is the command that changes the node, as it was or would be run; `unit` is the transient unit that it runs
    in; `exit_status`, `output_sha256` and `output` (its last lines) are known once it has ended. `observed` is what the
    phase looked at. `reason` is a stable code for REFUSED, FAILED and UNKNOWN. `duration_ms` is how long the act ran.
    """

    controller: ControllerName
    phase: ControlPhase
    act: ActId
    result: ControlResult
    reason: Word | None = None
    summary: Text
    argv: Annotated[list[Text], Field(max_length=200)] = []
    unit: Word | None = None
    exit_status: int | None = None
    duration_ms: Count | None = None
    output_sha256: Sha256Hex | None = None
    output: Annotated[list[Text], Field(max_length=40)] = []
    observed: dict[Word, Scalar] = {}


class ControlEnvelope(Envelope[ControlData]):
    """The envelope of `spark_controlctl`."""
