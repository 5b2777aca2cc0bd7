"""The journal of a run of a playbook: all that happened, in order, chained; its state follows from it and the plan."""

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.control import ActId
from sparkctl.model.envelope import Count
from sparkctl.model.hashed import Hashed
from sparkctl.model.playbook import StepId

GENESIS = "0" * 64


class Result(StrEnum):
    """How a step ended on a node; budgets count all but the first alike."""

    DONE = "done"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Opened(Record):
    """The run began, with these approvals."""

    what: Literal["opened"] = "opened"
    plan_sha256: Sha256Hex
    approved_by: list[Text]


class Claimed(Record):
    """A process took the run in hand; whatever was under way before is in doubt from here on."""

    what: Literal["claimed"] = "claimed"
    holder: Text
    node_fences: dict[NodeId, Annotated[int, Field(ge=1)]]


class WaveBegan(Record):
    """A wave may begin."""

    what: Literal["wave_began"] = "wave_began"
    wave: Annotated[int, Field(ge=1)]


class WaveJudged(Record):
    """A wave has ended and soaked; it is good enough to go on, or not."""

    what: Literal["wave_judged"] = "wave_judged"
    wave: Annotated[int, Field(ge=1)]
    promoted: bool
    summary: Text
    documents: list[Sha256Hex] = []


class Act(Record):
    """Which step of which node; `undoing` takes it back. `attempt` counts from 1."""

    node_id: NodeId
    step: StepId
    act: ActId
    attempt: Annotated[int, Field(ge=1)]
    undoing: bool = False

    def bare(self) -> "Act":
        """Which act it is, without what an event says of it."""
        return Act(**{name: getattr(self, name) for name in Act.model_fields})


class Intended(Act):
    """Committed before the act: if nothing follows, it is in doubt whether it was done.

    `boot_id` is the boot of the node that it is meant for; another boot refuses it. `documents` are digests of what
    the node said right before.
    """

    what: Literal["intended"] = "intended"
    boot_id: Word | None = None
    documents: list[Sha256Hex] = []


class Ended(Act):
    """What came of it. `documents` are digests of what the node said, which the store keeps."""

    what: Literal["ended"] = "ended"
    result: Result
    reason: Word | None = None
    summary: Text
    argv: list[Text] = []
    unit: Word | None = None
    exit_status: int | None = None
    output_sha256: Sha256Hex | None = None
    duration_ms: Count
    observed_after_doubt: bool = False
    documents: list[Sha256Hex] = []


class Asked(Act):
    """Only a person can say how it stands."""

    what: Literal["asked"] = "asked"
    question: Text


class Answer(StrEnum):
    """What a person may say of a step that is in doubt, or that asks."""

    DONE = "done"
    FAILED = "failed"
    REPEAT = "repeat"


class Answered(Act):
    """A person said how it stands."""

    what: Literal["answered"] = "answered"
    answer: Answer
    by: Word
    why: Text


class Held(Record):
    """Nothing more begins until a person releases the run. `undo` lists the nodes that are to be taken back first."""

    what: Literal["held"] = "held"
    why: Text
    undo: list[NodeId] = []


class Released(Record):
    """A person lets a held run go on; what has failed so far counts no more."""

    what: Literal["released"] = "released"
    by: Word
    why: Text


class Closed(Record):
    """The run is over."""

    what: Literal["closed"] = "closed"
    outcome: Outcome
    summary: Text


Event = Annotated[
    Opened | Claimed | WaveBegan | WaveJudged | Intended | Ended | Asked | Answered | Held | Released | Closed,
    Field(discriminator="what"),
]


class JournalEntry(Hashed):
    """One record: its place, its moment, the fence of who wrote it, and the digest of the record before it."""

    entry_schema: Annotated[Literal["sparkctl.journal-entry/1"], Field(alias="schema")] = "sparkctl.journal-entry/1"
    run_id: Word
    seq: Annotated[int, Field(ge=1)]
    at: UtcDatetime
    fence: Annotated[int, Field(ge=0)]
    previous: Sha256Hex
    event: Event


def act_id(run_id: str, node_id: str, step: str, attempt: int, *, undoing: bool) -> str:
    """The name of an act, the same whoever asks for it."""
    words = "\n".join((run_id, node_id, step, str(attempt), "undo" if undoing else "do"))
    return hashlib.sha256(words.encode()).hexdigest()[:32]
