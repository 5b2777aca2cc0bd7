"""Which DGX OS release nodes are on, and which are torn between two; from collected facts, without asking the nodes."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sparkctl import __version__
from sparkctl.app.ages import ages_of
from sparkctl.app.places import Places
from sparkctl.errors import ExitCode
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.ranges import natural_sorted
from sparkctl.inventory.selector import select
from sparkctl.model.facets.ota import Ota
from sparkctl.model.facets.ota_score import OtaScore, score_ota
from sparkctl.model.ota_report import OtaReport, OtaState
from sparkctl.store.store import Store

FACET = "ota"


def ota_report(places: Places, selector: str, max_age: timedelta | None = None) -> OtaReport:
    """Score the selected nodes, those that are alike once; raises UsageError and StoreError.

    Nodes that were seen longer ago than `max_age` are stale, and not scored.
    """
    wanted = {node.node_id for node in select(load_fleet(places.fleet), selector)}
    with Store.open(places.state, create=False) as store:
        known = store.held(FACET)
    ages = ages_of(known, wanted, max_age)
    held = [(each.document, (each.since.keys() & wanted) - ages.stale) for each in known]
    uncollected = wanted - {node for each in known for node in each.since}
    states = list(_states([(document, nodes) for document, nodes in held if nodes]))
    code = _exit_code(states, missing=bool(uncollected or ages.stale) or not wanted)
    return OtaReport(
        tool=f"sparkctl {__version__}",
        selector=selector,
        selected=len(wanted),
        states=states,
        uncollected=natural_sorted(uncollected),
        max_age_s=ages.max_age_s,
        stale=natural_sorted(ages.stale),
        oldest=ages.oldest,
        exit_code=code,
        exit_name=code.name.lower(),
    )


def _exit_code(states: list[OtaState], *, missing: bool) -> ExitCode:
    if any(state.score.torn for state in states):
        return ExitCode.FINDINGS
    unproven = any(not state.score.proven for state in states)
    return ExitCode.UNJUDGED if missing or unproven else ExitCode.OK


def _states(held: list[tuple[Mapping[str, Any], set[str]]]) -> Iterator[OtaState]:
    """Nodes with the same verdict together, torn ones first, then the most."""
    scores: dict[str, tuple[OtaScore, Ota, set[str]]] = {}
    for document, nodes in held:
        facet = Ota.model_validate_json(json.dumps(document["data"]))
        score = score_ota(facet)
        key = score.model_dump_json() + (facet.release.version or "" if facet.release else "")
        scores.setdefault(key, (score, facet, set()))[2].update(nodes)
    for score, facet, nodes in sorted(scores.values(), key=lambda one: (not one[0].torn, -len(one[2]))):
        yield OtaState(
            release=facet.release.version if facet.release else None, score=score, nodes=natural_sorted(nodes)
        )
