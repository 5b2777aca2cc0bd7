"""Standings for tests: of simulated nodes, judged in this process, and of nodes of which little or nothing is known."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from diag.commands.health import tasks
from diag.nodekit.catalogue import elevated_commands, load_checks
from diag.nodekit.document import encode
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.machine import Machine
from sparkctl.export.catalogue import FORMATS
from sparkctl.export.subject import Subject
from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.model.facets.catalogue import FACETS, Facets
from sparkctl.model.health import Finding
from sparkctl.model.inventory import Node
from sparkctl.model.standing import KnownFacet, NodeStanding
from sparkctl.model.vocabulary import Cause, Stage
from tests.support.envelopes import reported, unreported
from tests.support.resets import reset_record, transition

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""When everything is exported; the visits were at 08:00."""
FACTS_AT = datetime(2026, 11, 25, 7, tzinfo=UTC)


def lab_standing(
    folder: Path, name: str, make: str = "founders", fault: str | None = None, elevation: str = "root", seed: int = 1
) -> NodeStanding:
    """What is known of a simulated node after a sweep, a collection and a question for its reset."""
    write_tree(render(model_of(name, seed, make, fault)), folder / name, Pool(folder / "pool"), time.time())
    root = (folder / name).resolve()
    root = root_view(root) if elevation == "root" else root
    record = reported(name, *_findings(root, elevation), origin="simulated")
    node = Node(
        node_id=name, origin="fleet.yaml:3", simulated=True, site="lab", rack="a1", unit="pair-1", power_group="pdu-1",
        state="in_service", groups=["sparks"], labels={"make": make},
    )  # fmt: skip
    end = transition(termination="orderly.reboot", reset_domain="platform_reset", initiator="os")
    return NodeStanding(
        node=node, last=record, health=record, reset=reset_record(name, end),
        facets=_known({facet: _collected(facet, root, elevation) for facet in FACETS}),
    )  # fmt: skip


def _findings(root: Path, elevation: str) -> list[dict[str, Any]]:
    checks = load_checks()
    allowed = elevated_commands(checks)
    found = []
    for task in tasks(checks):
        documents, bugs = task.judge(Machine(str(root), elevation, allowed))
        assert bugs == []
        found += [document for document in documents if "check" in document]
    return sorted(found, key=lambda one: str(one["check"]))


def _collected(facet: str, root: Path, elevation: str) -> dict[str, Any]:
    task = load_facets()[facet]
    documents, bugs = task.judge(Machine(str(root), elevation, frozenset(task.facet.elevated)))
    assert bugs == []
    return {key: value for key, value in documents[0].items() if key != "facet"}


def _known(documents: Mapping[str, Any]) -> dict[str, KnownFacet]:
    """Facets as the store gives them back: canonical, without nulls."""
    whole = Facets.model_validate_json(encode(dict(documents)))
    return {
        name: KnownFacet(FACTS_AT - timedelta(days=3), FACTS_AT, json.loads(facet.text))
        for name, facet in whole
        if facet is not None
    }


def never_visited(name: str = "new01", **parts: Any) -> NodeStanding:
    """A node that is in the inventory and nowhere else."""
    return NodeStanding(Node(node_id=name, origin="fleet.yaml:9", **parts), None, None, None, {})


def never_answered(name: str = "dead01") -> NodeStanding:
    """A node that was visited and never answered."""
    record = unreported(name, Stage.CONNECT, Cause.CONNECTION_REFUSED)
    return replace(never_visited(name), last=record)


def fell_silent(known: NodeStanding) -> NodeStanding:
    """The same node after a later visit that it did not answer."""
    assert known.last is not None
    record = unreported(known.node.node_id).model_copy(update={"ts": known.last.ts + timedelta(hours=2)})
    return replace(known, last=record)


def with_facet(known: NodeStanding, facet: str, data: Any, gaps: Mapping[str, str] | None = None) -> NodeStanding:
    """The same node with other data of one facet."""
    document = {"data": data, "gaps": dict(gaps or {})}
    return replace(known, facets={**known.facets, facet: KnownFacet(FACTS_AT, FACTS_AT, document)})


def with_findings(known: NodeStanding, *findings: dict[str, Any]) -> NodeStanding:
    """The same node with other findings."""
    record = reported(known.node.node_id, *findings)
    return replace(known, last=record, health=record)


def findings_of(known: NodeStanding) -> list[Finding]:
    """Its findings, those that do not apply included."""
    return known.health_data.findings if known.health_data else []


def as_subjects(standings: Sequence[NodeStanding]) -> list[Subject]:
    """Nodes as they are exported at noon."""
    return [Subject(standing, NOON) for standing in standings]


def exported(form: str, standings: Sequence[NodeStanding]) -> str:
    """The whole text of an export."""
    return "".join(FORMATS[form].pieces(as_subjects(standings)))
