"""What a person wants to know of a bundle, before anything else: one page, told the same on every kind of paper."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Sha256Hex, Text, Word
from sparkctl.model.envelope import Count
from sparkctl.model.evidence import About, EntryStatus, Missing
from sparkctl.model.health import Finding, Rollup
from sparkctl.model.redaction import Withheld
from sparkctl.model.reset import Transition

Vouching = Literal["signed", "not_checked", "unsigned"]


class Signer(Record):
    """Who signed: the principal of the allowed signers (null for a mere key), and the fingerprint of the key."""

    principal: Text | None
    fingerprint: Text


class Fact(Record):
    """One thing about the machine that is asked first, in words; `part` is the facet that it is of."""

    part: Word
    name: Word
    value: Text


class Group(Record):
    """Entries that belong together: how many, and their bytes."""

    name: Text
    entries: Count
    bytes: Count


class NotWhole(Record):
    """An entry that does not hold all that it could; `words` say what is not in it."""

    path: Text
    status: EntryStatus
    words: Text


class Replaced(Record):
    """How often one rule of redaction replaced something, and in how many entries."""

    rule: Word
    count: Count
    artefacts: Count


class Unread(Record):
    """A document that the page wants and the bundle does not give, and why."""

    name: Word
    words: Text


class BundlePage(Record):
    """One bundle: who vouches for it, how the node was, how its boots ended, what it is, what is in the file.

    `bytes` are those of all entries. Of a part of a bundle, `withheld_entries` counts what is not in it. `findings` and
    `transitions` are null where the bundle does not say, and `unread` tells why; `rollup` is made from the findings
    here, whatever the bundle says of them.
    """

    page_schema: Annotated[Literal["sparkctl.bundle-page/1"], Field(alias="schema")] = "sparkctl.bundle-page/1"
    file: Text
    vouching: Vouching
    signed_by: Signer | None
    about: About
    entries: Count
    bytes: Count
    withheld_entries: Count
    missing_count: Count
    merkle_root: Text
    manifest_sha256: Sha256Hex | None
    findings: list[Finding] | None
    rollup: Rollup | None
    transitions: list[Transition] | None
    facts: list[Fact]
    groups: list[Group]
    not_whole: list[NotWhole]
    missing: list[Missing]
    withheld: list[Withheld]
    replaced: list[Replaced]
    unread: list[Unread]
