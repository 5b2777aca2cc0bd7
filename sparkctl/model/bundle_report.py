"""The report of a collection of evidence: which bundles lie where, and what could not be taken on which nodes."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import DottedCode, NodeId, Record, Text
from sparkctl.model.fleet_report import FleetReport
from sparkctl.model.vocabulary import TakenStatus, UnknownReason


class NodeBundle(Record):
    """The sealed bundle of one node."""

    node_id: NodeId
    file: Text


class FoldedLoss(Record):
    """What a collector could not bring whole, on the nodes where that was so alike; `example` is of `example_node`."""

    collector: DottedCode
    status: TakenStatus
    reason: UnknownReason
    nodes: Annotated[list[NodeId], Field(min_length=1)]
    example: Text
    example_node: NodeId


class BundleReport(FleetReport):
    """One collection over many nodes; every selected node has a bundle or is among the failures."""

    report_schema: Annotated[Literal["sparkctl.bundle-report/1"], Field(alias="schema")] = "sparkctl.bundle-report/1"
    bundles: list[NodeBundle]
    losses: list[FoldedLoss]
