"""What is otherwise between two bundles, by what was observed and not by text."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from sparkctl.model.base import DottedCode, NodeId, Record, Text, UtcDatetime, Word
from sparkctl.model.bundle_page import Vouching
from sparkctl.model.envelope import Count
from sparkctl.model.facets.base import FieldPath
from sparkctl.model.facets.difference import Kind
from sparkctl.model.health import Scalar
from sparkctl.model.reset import Transition
from sparkctl.model.vocabulary import Status, UnknownReason


class Side(Record):
    """One of the two bundles, and whose word it is."""

    file: Text
    node: NodeId
    collected_at: UtcDatetime
    vouching: Vouching
    signed_by: Text | None
    simulated: bool


class Judgement(Record):
    """What a finding said in one bundle."""

    status: Status
    reason: UnknownReason | None
    value: Scalar | None
    unit: Word | None
    summary: Text


class FindingChange(Record):
    """A finding that is otherwise; a side is null where the check was not made."""

    check: DottedCode
    before: Judgement | None
    after: Judgement | None


class FactChange(Record):
    """A field of a facet that is otherwise; of one that could not be read `after` is the reason."""

    facet: Word
    field: FieldPath
    kind: Kind
    before: JsonValue
    after: JsonValue


class ArtefactEvent(StrEnum):
    """What became of an artefact, or of something else that was wanted."""

    NEW = "new"
    GONE = "gone"
    MISSING = "missing"  # it was there, and could not be collected now
    CUT = "cut"  # it was whole, and a limit cut it now, or the command failed
    WHOLE = "whole"  # the other way round


class ArtefactChange(Record):
    """An artefact that is otherwise; its content is not compared. `words` say why it is missing or cut."""

    path: Text
    event: ArtefactEvent
    words: Text | None


class ProgramChange(Record):
    """Another program, version, or right to look: what is otherwise may come from that."""

    what: Word
    before: Text | None
    after: Text | None


class BundleDiff(Record):
    """Two bundles, presumably of one node, compared.

    `ends` are the boots that ended since, newest first; `ends_told` is false where the old bundle's newest end is no
    more among those of the new one, so that there may have been more. `passing` names fields that changed and mean
    little. `uncompared` says what could not be compared, and why. Names are stand-ins, other ones in each bundle: one
    that stands in the place of another is no change.
    """

    diff_schema: Annotated[Literal["sparkctl.bundle-diff/1"], Field(alias="schema")] = "sparkctl.bundle-diff/1"
    old: Side
    new: Side
    findings: list[FindingChange]
    facts: list[FactChange]
    ends: list[Transition]
    ends_told: bool
    artefacts: list[ArtefactChange]
    programs: list[ProgramChange]
    passing: list[Text]
    uncompared: list[Text]
    changes: Count
