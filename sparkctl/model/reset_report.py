"""The report of a run that asked how boots ended: who went down how, who cannot be told, and what to arm now."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count
from sparkctl.model.fleet_report import FleetReport
from sparkctl.model.reset import Claims
from sparkctl.model.reset_tree import is_under
from sparkctl.model.reset_words import ANY, Antecedent, Axis, UnknownCause
from sparkctl.model.witnesses import BootId

Certainty = Literal["yes", "no", "unknown"]
FEWEST_TOGETHER = 2
"""Nodes that went down in one span of time, before that is worth a word."""


class EndKind(StrEnum):
    """What the end of a boot means to an operator, the most pressing first."""

    UNEXPECTED = "unexpected"  # nobody wanted it
    CUT_OFF = "cut_off"  # it ended without a shutdown; whether somebody wanted that is not known
    NOT_TOLD = "not_told"  # how it ended is not known
    ORDERLY = "orderly"  # it shut down in good order; whether somebody wanted that is not known
    PLANNED = "planned"  # somebody wanted it


def kind_of(claims: Claims, expected: Certainty) -> EndKind:
    """What an end means, by what is claimed of it and whether it was expected."""
    if expected == "no":
        return EndKind.UNEXPECTED
    if claims.termination == ANY:
        return EndKind.NOT_TOLD
    if expected == "yes":
        return EndKind.PLANNED
    return EndKind.ORDERLY if is_under(claims.termination, "orderly") else EndKind.CUT_OFF


class FoldedAnswer(Record):
    """Ends of boots that came out alike; `words` are those of `example_node`, alike when only figures differ.

    `ends` counts the boots, `nodes` where they ran. `antecedents` counts the nodes on which each was seen before.
    """

    kind: EndKind
    words: Text
    example_node: NodeId
    claims: Claims
    expected: Certainty
    data_at_risk: Certainty
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    ends: Count
    antecedents: dict[Antecedent, Count]


class FoldedUnknown(Record):
    """One reason why an axis is not known, or not known better, on a set of nodes."""

    axis: Axis
    cause: UnknownCause
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    example: Text | None
    example_node: NodeId


class FoldedAdvice(Record):
    """What to arm on a set of nodes, so that the next end can be told."""

    advice: Text
    nodes: Annotated[list[NodeId], Field(min_length=1)]


class FromHere(Record):
    """One end of a boot as seen from the bastion, by the bastion's clock.

    The boot that ended was last heard of at `last_contact` (null: never); the next one began at `began`, told by its
    uptime, and was first heard of at `first_contact`.
    """

    node: NodeId
    from_boot_id: BootId
    last_contact: UtcDatetime | None
    began: UtcDatetime | None
    first_contact: UtcDatetime
    premises: Annotated[list[Text], Field(max_length=20)]


class WentTogether(Record):
    """Nodes on one supply whose boots ended without a shutdown, or in a way not known, in one span of time."""

    power_group: Word
    nodes: Annotated[list[NodeId], Field(min_length=FEWEST_TOGETHER)]
    members: Annotated[int, Field(ge=FEWEST_TOGETHER)]
    after: UtcDatetime
    before: UtcDatetime
    premises: Annotated[list[Text], Field(max_length=20)]


class ResetReport(FleetReport):
    """One run over many nodes; every selected node is either reported or among the failures.

    `asked` says which ends: `boot=0` is the newest, `boot=-1` the one before it, `all` are all. `worst` counts reported
    nodes by the most pressing of their ends. `from_here` and `together` are what the bastion saw of the newest ends.
    """

    report_schema: Annotated[Literal["sparkctl.reset-report/1"], Field(alias="schema")] = "sparkctl.reset-report/1"
    asked: Word
    worst: dict[EndKind, Count]
    answers: list[FoldedAnswer]
    unknown: list[FoldedUnknown]
    arm_now: list[FoldedAdvice]
    from_here: list[FromHere]
    together: list[WentTogether]
