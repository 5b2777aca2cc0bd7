"""What a redaction did: how often each rule replaced something, where, and what was withheld altogether."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.envelope import Count

MOST_RANGES = 20
MOST_ARTEFACTS = 500

LineRange = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]
"""First and last line, counted from 1."""


class ArtefactReplacements(Record):
    """What one rule replaced in one artefact, whose name is the redacted one.

    `lines` are the first ranges of lines; `lines_left_out` says that there are more.
    """

    artefact: Text
    count: Count
    lines: Annotated[list[LineRange], Field(max_length=MOST_RANGES)]
    lines_left_out: bool = False


class RuleReplacements(Record):
    """What one rule replaced in all artefacts; `artefacts_left_out` counts those beyond the first of them."""

    rule: Word
    count: Count
    artefacts: Annotated[list[ArtefactReplacements], Field(max_length=MOST_ARTEFACTS)]
    artefacts_left_out: Count = 0


class Withheld(Record):
    """An artefact that could not be redacted and is therefore not handed on."""

    artefact: Text
    reason: Literal["too_slow", "survivor", "unreadable"]
    words: Text


class RedactionReport(Record):
    """The account of one disclosure. It holds no real value: names of artefacts are redacted as their contents are.

    `known_left_out` counts values that were replaced only where a rule found them, since more were told than are held.
    """

    report_schema: Annotated[Literal["sparkctl.redaction-report/1"], Field(alias="schema")] = (
        "sparkctl.redaction-report/1"
    )
    artefacts: Count
    bytes_read: Count
    rules: list[RuleReplacements]
    withheld: list[Withheld]
    known_left_out: Count = 0
