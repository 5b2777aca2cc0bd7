"""Ask our programs of a tree that is here, as of a node: what they say is held against the same contracts."""

import asyncio
import random
from dataclasses import dataclass, replace
from pathlib import Path

from sparkctl.app.programs import program_of
from sparkctl.executor.limits import Limits
from sparkctl.executor.question import HEALTH, Question, what_is_it, why_did_it_go_down
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, visit
from sparkctl.model.inventory import Node
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Elevation, Origin
from sparkctl.probes.program import Program
from sparkctl.transport.bundle import BundleTransport

NO_RUN = "bundle"
RESET_BYTES = 64 * 1024


def node_of(name: str, elevation: Elevation, *, simulated: bool) -> Node:
    """The node that a tree was taken from, as it is asked here."""
    return Node(node_id=name, transport="local", elevation=elevation, simulated=simulated, origin="a bundle")


@dataclass(frozen=True, slots=True)
class OverTree:
    """One of our programs and what it is asked, of a tree that is here."""

    command: str
    question: Question
    document_bytes: int = Limits.document_bytes

    @property
    def program(self) -> Program:
        """The program, as it would be sent to a node."""
        return program_of(self.command)

    def of(self, tree: Path, node: Node) -> RunRecord:
        """What it says, as the record of a visit to the node that the tree was taken from."""
        limits = replace(Limits(), document_bytes=self.document_bytes)
        errand = Errand(NO_RUN, self.program, limits, self.question, origin=Origin.TREE)
        return asyncio.run(visit(node, BundleTransport(tree), errand, Stop(), random.Random()))  # noqa: S311 - jitter


def how_it_was() -> OverTree:
    """How it was."""
    return OverTree("health", HEALTH)


def what_it_was(facets: tuple[str, ...] = ()) -> OverTree:
    """What it was: these facets, or all."""
    return OverTree("collect", what_is_it(facets or program_of("collect").facets))


def how_it_ended(back: int | None = None) -> OverTree:
    """How boots of it ended: the one asked for, or all that are recorded."""
    return OverTree("reset-reason", why_did_it_go_down(back), RESET_BYTES)
