"""Ask our programs of a tree that is here, as of a node: what they say is held against the same contracts."""

import asyncio
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

from sparkctl.executor.limits import Limits
from sparkctl.executor.question import HEALTH, Question, what_is_it, why_did_it_go_down
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, visit
from sparkctl.model.inventory import Node
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Elevation, Origin
from sparkctl.probes.program import Program, bundle
from sparkctl.resources import shipped
from sparkctl.transport.bundle import BundleTransport

NO_RUN = "bundle"
RESET_BYTES = 64 * 1024


def node_of(name: str, elevation: Elevation, *, simulated: bool) -> Node:
    """The node that a tree was taken from, as it is asked here."""
    return Node(node_id=name, transport="local", elevation=elevation, simulated=simulated, origin="a bundle")


def health_of(tree: Path, node: Node) -> RunRecord:
    """How it was."""
    return _asked(tree, node, "health", HEALTH)


def facts_of(tree: Path, node: Node, facets: tuple[str, ...] = ()) -> RunRecord:
    """What it was: these facets, or all."""
    return _asked(tree, node, "collect", what_is_it(facets or _program("collect").facets))


def ends_of(tree: Path, node: Node, back: int | None = None) -> RunRecord:
    """How boots of it ended: the one asked for, or all that are recorded."""
    return _asked(tree, node, "reset-reason", why_did_it_go_down(back), document_bytes=RESET_BYTES)


@cache
def _program(command: str) -> Program:
    return bundle(shipped("diag"), command)


def _asked(tree: Path, node: Node, command: str, question: Question, *, document_bytes: int | None = None) -> RunRecord:
    limits = Limits() if document_bytes is None else replace(Limits(), document_bytes=document_bytes)
    errand = Errand(NO_RUN, _program(command), limits, question, origin=Origin.TREE)
    return asyncio.run(visit(node, BundleTransport(tree), errand, Stop(), random.Random()))  # noqa: S311 - jitter
