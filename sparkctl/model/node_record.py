"""What a run of a playbook did to one node: evidence of its own, which says all of it in one file."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.journal import JournalEntry
from sparkctl.model.playbook import PlaybookName


class NodeRecord(Record):
    """The records of a journal that are of one node, or of the whole run, in their order.

    `head` is the digest of the newest record of the whole journal: whoever has that has this.
    """

    record_schema: Annotated[Literal["sparkctl.node-record/1"], Field(alias="schema")] = "sparkctl.node-record/1"
    at: UtcDatetime
    run_id: Word
    playbook: PlaybookName
    title: Text
    plan_sha256: Sha256Hex
    node_id: NodeId
    serial: Word | None
    simulated: bool
    head: Sha256Hex
    entries: list[JournalEntry]
