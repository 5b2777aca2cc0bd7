"""Goods that come in: what was ordered, announced, scanned and observed, and how these agree for each machine."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.ledger import EvidenceRef

MOST_ROWS = 200_000
"""Rows of one file that are matched at most."""

Count = Annotated[int, Field(ge=0)]


class MatchClass(StrEnum):
    """What a machine, or a row that belongs to none, is after the four-way match; of several classes the worst."""

    MATCHED = "matched"
    MATCHED_PARTIALLY = "matched_partially"
    DUPLICATE_SCAN = "duplicate_scan"
    SHORT = "short"
    NOT_ARRIVED = "not_arrived"
    NOT_SCANNED = "not_scanned"
    UNREADABLE_SCAN = "unreadable_scan"
    UNANNOUNCED = "unannounced"
    OVER = "over"
    UNORDERED = "unordered"
    WRONG_CONFIGURATION = "wrong_configuration"
    WRONG_PART = "wrong_part"
    MAC_MISMATCH = "mac_mismatch"
    SERIAL_MISMATCH = "serial_mismatch"
    DUPLICATE_SERIAL = "duplicate_serial"
    OBSERVED_UNKNOWN = "observed_unknown"


class OrderLine(Record):
    """A line of a purchase order. `where` is its file and line, sizes are in bytes as they are sold."""

    where: Text
    po: Word
    line: Word
    part_number: Word
    quantity: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    product: Word | None = None
    ssd_bytes: Annotated[int, Field(gt=0)] | None = None
    memory_bytes: Annotated[int, Field(gt=0)] | None = None


class NoticeRow(Record):
    """A machine on a shipping notice (ASN)."""

    where: Text
    po: Word
    line: Word | None = None
    serial: Word
    part_number: Word | None = None
    macs: Annotated[list[Word], Field(max_length=64)] = []
    carton: Word | None = None
    shipped: Word | None = None


class ScanRow(Record):
    """What a scanner read off one label, cell by cell, as it was read; `codes` are cells that may hold anything."""

    where: Text
    serial: Text | None = None
    part_number: Text | None = None
    mac: Text | None = None
    asset_tag: Text | None = None
    carton: Text | None = None
    codes: Annotated[list[Text], Field(max_length=64)] = []
    by: Word | None = None
    at: Word | None = None


class Observation(Record):
    """What a machine says of itself over SSH, sizes in bytes as the kernel counts; `enrolled` is the inventory's.

    `refused` says that its last visit ended since it named another serial than the enrolled one, in words.
    """

    where: Text
    node_id: NodeId
    enrolled: Word | None = None
    serial: Word | None = None
    serial_source: Word | None = None
    serials_agree: bool | None = None
    product: Word | None = None
    macs: Annotated[list[Word], Field(max_length=256)] = []
    ssd_bytes: Count | None = None
    memory_bytes: Count | None = None
    refused: Text | None = None
    simulated: bool = False


class Inputs(Record):
    """How much there was to be matched: lines and machines ordered, rows announced, scanned, observed.

    `left_out` are nodes that were observed, are in nobody's papers, and were taken in before.
    """

    order_lines: Count
    ordered: Count
    noticed: Count
    scanned: Count
    observed: Count
    left_out: Count = 0


class MatchedUnit(Record):
    """One machine, or a row that belongs to none, with its class and why.

    `order`, `notice`, `scan` and `observed` are the places of the rows it is made of. `count` is more than 1 only for
    machines of one order line that nobody has sent.
    """

    match_class: MatchClass
    reasons: list[Text]
    serial: Word | None = None
    node_id: NodeId | None = None
    po: Word | None = None
    line: Word | None = None
    part_number: Word | None = None
    carton: Word | None = None
    asset_tag: Word | None = None
    order: Text | None = None
    notice: Text | None = None
    scan: Text | None = None
    observed: Text | None = None
    count: Annotated[int, Field(ge=1)] = 1
    simulated: bool = False

    @property
    def arrived(self) -> bool:
        """Whether somebody scanned it, or it answered."""
        return self.scan is not None or self.observed is not None


class ReceivingReport(Record):
    """The four-way match. Every row is in one unit, and the counts of units add up to the machines ordered and rows.

    `needs_person` counts units of a class that somebody has to look into.
    """

    receiving_schema: Annotated[Literal["sparkctl.receiving-report/1"], Field(alias="schema")] = (
        "sparkctl.receiving-report/1"
    )
    inputs: Inputs
    classes: dict[MatchClass, Count]
    needs_person: Count
    simulated: bool
    units: list[MatchedUnit]
    exit_code: Annotated[int, Field(ge=0, le=255)]


class AsReceived(Record):
    """The as-received record: who matched which files when, with their digests, and what came out."""

    received_schema: Annotated[Literal["sparkctl.as-received/1"], Field(alias="schema")] = "sparkctl.as-received/1"
    at: UtcDatetime
    by: Word
    inputs: list[EvidenceRef]
    report: ReceivingReport


class Recorded(Record):
    """What was entered of a delivery: nodes by what became of them, and serials that no node of the inventory has.

    `file` is the as-received record, null when there was nothing to enter. `left_alone` are nodes with why. `entries`
    are places in the ledger.
    """

    recorded_schema: Annotated[Literal["sparkctl.receiving-recorded/1"], Field(alias="schema")] = (
        "sparkctl.receiving-recorded/1"
    )
    file: Text | None
    sha256: Sha256Hex | None
    received: list[NodeId]
    matched: list[NodeId]
    quarantined: list[NodeId]
    without_node: list[Word]
    left_alone: dict[NodeId, Text]
    entries: list[Annotated[int, Field(ge=1)]]
    report: ReceivingReport


class PinnedKeys(Record):
    """The host keys that are pinned for one node: the name they stand under, and each with its file."""

    pins_schema: Annotated[Literal["sparkctl.host-key-pins/1"], Field(alias="schema")] = "sparkctl.host-key-pins/1"
    node_id: NodeId
    at: UtcDatetime
    name: Text
    keys: Annotated[dict[Text, Text], Field(min_length=1)]
    authorities: dict[Text, Text]


class Acceptance(Record):
    """An acceptance test that was passed, with the documents it was judged by.

    `health` and `identity` are the digests of what was judged; `required` are the checks that had to be evaluated.
    """

    acceptance_schema: Annotated[Literal["sparkctl.acceptance/1"], Field(alias="schema")] = "sparkctl.acceptance/1"
    node_id: NodeId
    serial: Word
    at: UtcDatetime
    by: Word
    run_id: Word
    judged_at: UtcDatetime
    health: Sha256Hex
    identity: Sha256Hex
    required: list[Word]
    warned: list[Word]
    simulated: bool
