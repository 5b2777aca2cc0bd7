"""The reset document: how the last boots of a node ended, as far as its evidence proves it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.envelope import Count, Envelope
from sparkctl.model.reset_words import Antecedent, Axis, Source, SourceState, Strength, UnknownCause
from sparkctl.model.witnesses import BootId, Seconds, Witnesses

AxisPath = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+){0,3}$", max_length=80)]
"""A path in the tree of an axis, or `any`."""

ObservationId = Annotated[str, StringConstraints(pattern=r"^o[0-9]{1,4}$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+/[0-9]+$", max_length=80)]
"""A rule with its version: `termination.orderly/1`."""

MAX_TRANSITIONS = 64
MAX_OBSERVATIONS = 400


class SourceRead(Record):
    """One kind of evidence, and why it was not read (whole) where it was not."""

    source: Source
    state: SourceState
    detail: Text | None = None


class Observation(Record):
    """One thing that was seen: where, and of which boot.

    `boot_id` is null where the thing could not be bound to a boot: then it proves nothing about any. `at_s` is in
    seconds since that boot began, by its own monotonic clock.
    """

    id: ObservationId
    source: Source
    kind: Word
    boot_id: BootId | None
    at_s: Seconds | None = None
    locator: Text
    excerpt: Text
    value: Word | None = None


class Proof(Record):
    """Why one claim stands: a rule with its version, the observations it rests on, and what it required to be absent.

    `absent` names the kinds of observations that would have spoken against it; each was looked for in a source that
    was read.
    """

    axis: Axis
    path: AxisPath
    rule: RuleId
    strength: Strength
    premises: Annotated[list[ObservationId], Field(max_length=40)]
    absent: Annotated[list[Word], Field(max_length=40)]


class AntecedentSeen(Record):
    """Something that came before the end; `before_end_s` is seconds before the last sign of life of that boot."""

    kind: Antecedent
    summary: Text
    count: Count
    before_end_s: Seconds | None = None
    observations: Annotated[list[ObservationId], Field(max_length=40)]


class UnknownReason(Record):
    """Why an axis is not known, or not known better than its claim."""

    axis: Axis
    cause: UnknownCause
    detail: Text | None = None


class Conflict(Record):
    """Claims that cannot both be true; neither is asserted."""

    axis: Axis
    paths: Annotated[list[AxisPath], Field(min_length=2, max_length=10)]
    rules: Annotated[list[RuleId], Field(min_length=2, max_length=10)]


class Claims(Record):
    """One path for each axis, `any` where nothing is entailed."""

    termination: AxisPath
    reset_domain: AxisPath
    initiator: AxisPath


class Open(Record):
    """The leaves of each axis that the evidence does not exclude."""

    termination: list[AxisPath]
    reset_domain: list[AxisPath]
    initiator: list[AxisPath]


class Strengths(Record):
    """How well each claim is founded."""

    termination: Strength
    reset_domain: Strength
    initiator: Strength


class Flat(Record):
    """The same in few words, for people and for programs that know one reason only.

    `vendor_reason` is one of the seven codes of the vendor's reporter, `redfish_last_reset_cause` one of Redfish's.
    """

    words: Text
    expected: Literal["yes", "no", "unknown"]
    data_at_risk: Literal["yes", "no", "unknown"]
    vendor_reason: Word
    redfish_last_reset_cause: Word


class Window(Record):
    """What is known of the time between two boots, by the node's clock, in seconds.

    `last_sign_s` is the last thing seen in the boot that ended, in seconds since it began. `gap_s` is the time to the
    first thing seen in the next one, null where the clock was not the same on both sides; no rule rests on it.
    """

    last_sign_s: Seconds | None
    gap_s: float | None


class Transition(Record):
    """The end of one boot and the beginning of the next; `index` is 0 for the newest, -1 for the one before."""

    index: Annotated[int, Field(le=0, ge=-100000)]
    from_boot_id: BootId | None
    to_boot_id: BootId | None
    claims: Claims
    open: Open
    strength: Strengths
    flat: Flat
    antecedents: Annotated[list[AntecedentSeen], Field(max_length=60)]
    unknown_reasons: Annotated[list[UnknownReason], Field(max_length=60)]
    conflicts: Annotated[list[Conflict], Field(max_length=10)]
    proof: Annotated[list[Proof], Field(max_length=30)]
    window: Window
    would_decide: Annotated[list[Text], Field(max_length=20)]
    arm_now: Annotated[list[Text], Field(max_length=20)]


class ResetData(Record):
    """How the last boots ended, newest first, with what was read for it."""

    transitions: Annotated[list[Transition], Field(max_length=MAX_TRANSITIONS)]
    observations: Annotated[list[Observation], Field(max_length=MAX_OBSERVATIONS)]
    sources: Annotated[list[SourceRead], Field(max_length=40)]
    witnesses: Witnesses


class ResetEnvelope(Envelope[ResetData]):
    """The envelope of `reset_reason_reporter`."""
