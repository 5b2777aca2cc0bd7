"""Hold what is known of nodes against a baseline."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

from sparkctl import __version__
from sparkctl.app.baseline_file import BaselineFile, read_baseline
from sparkctl.app.places import Places
from sparkctl.app.signing import verify
from sparkctl.errors import ExitCode
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.ranges import natural_sorted
from sparkctl.inventory.selector import select
from sparkctl.model.baseline import Clone, Drift, DriftReport, Unread
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.difference import Difference, Kind, differences, gap_at, leaves, pruned, value_at
from sparkctl.model.facets.individual import UNIQUE
from sparkctl.model.facets.paths import Path, covers, from_text, to_text
from sparkctl.store.entries import Held
from sparkctl.store.store import Store

NAMESPACE = "sparkctl.baseline"
BASELINE_NAME = "baseline.yaml"
_DRIFTED = (Kind.CHANGED, Kind.APPEARED, Kind.DISAPPEARED)


@dataclass
class _Group:
    """Nodes on which one field is otherwise in the same way, each with the moment its present facet began."""

    facet: str
    difference: Difference
    since: dict[str, datetime] = field(default_factory=dict)


def drift(places: Places, selector: str, baseline: FilePath | None, allowed_signers: FilePath | None) -> DriftReport:
    """Compare the selected nodes; raises UsageError, StoreError, RefusedError for a signature that does not hold."""
    path = baseline or places.state / BASELINE_NAME
    expected = read_baseline(path)
    signer = verify(path, allowed_signers, NAMESPACE) if allowed_signers else None
    wanted = {node.node_id for node in select(load_fleet(places.fleet), selector)}
    with Store.open(places.state, create=False) as store:
        held = {facet: store.held(facet) for facet in {*expected.baseline.facets, "identity"}}
        groups = [
            group for facet in expected.baseline.facets for group in _groups(expected, facet, held[facet], wanted)
        ]
        collected = [{node for each in held[facet] for node in each.since} for facet in expected.baseline.facets]
        uncollected = {node for node in wanted if any(node not in known for known in collected)}
        drifted = [_told(store, group) for group in groups if group.difference.kind in _DRIFTED]
        moments = store.last_collected(wanted - uncollected)
    unread = [_unread(group) for group in groups if group.difference.kind is Kind.UNREADABLE]
    clones = list(_clones(held["identity"], wanted))
    code = _exit_code(found=bool(drifted or clones), unknown=bool(uncollected or unread or not wanted))
    return DriftReport(
        tool=f"sparkctl {__version__}",
        at=datetime.now(UTC),
        baseline=str(path),
        baseline_sha256=expected.sha256,
        signed_by=signer,
        selector=selector,
        selected=len(wanted),
        compared=len(wanted - uncollected),
        uncollected=natural_sorted(uncollected),
        oldest=min(moments.values(), default=None),
        drift=sorted(drifted, key=lambda one: (-len(one.nodes), one.facet, one.field)),
        unread=sorted(unread, key=lambda one: (one.facet, one.field)),
        clones=clones,
        exit_code=code,
        exit_name=code.name.lower(),
    )


def _exit_code(*, found: bool, unknown: bool) -> ExitCode:
    if found:
        return ExitCode.FINDINGS
    return ExitCode.UNJUDGED if unknown else ExitCode.OK


def _groups(expected: BaselineFile, facet: str, held: Collection[Held], wanted: Collection[str]) -> list[_Group]:
    """The differences of one facet, each distinct document compared once, folded over the nodes."""
    patterns = [from_text(pattern) for pattern in expected.baseline.ignore]
    ignored = [pattern[1:] for pattern in patterns if pattern[:1] in ((facet,), ("*",))]
    ours = {"data": pruned(expected.baseline.facets[facet], ignored), "gaps": {}}
    groups: dict[bytes, _Group] = {}
    for each in held:
        nodes = {node: moment for node, moment in each.since.items() if node in wanted}
        theirs = {**each.document, "data": pruned(each.document.get("data"), ignored)}
        for difference in differences(ours, theirs) if nodes else ():
            if any(covers(pattern, difference.path) for pattern in ignored):
                continue  # a gap that nobody asked about
            key = canonical_json([*difference.path, difference.kind.value, difference.after])
            groups.setdefault(key, _Group(facet, difference)).since.update(nodes)
    return list(groups.values())


def _told(store: Store, group: _Group) -> Drift:
    since = _since_when(store, group)
    difference = group.difference
    return Drift(
        facet=group.facet,
        field=to_text(difference.path),
        kind=difference.kind,
        expected=difference.before,
        observed=difference.after,
        nodes=natural_sorted(since),
        since=min(since.values()),
        until=max(since.values()),
    )


def _since_when(store: Store, group: _Group) -> dict[str, datetime]:
    """When each node first had the value that it has, as far back as it had it without a break."""
    past = store.past(group.facet, list(group.since))
    known = store.facet_documents({document for spans in past.values() for _, document in spans})
    since = dict(group.since)
    for node, spans in past.items():
        for began, document in spans:
            if not _same(known[document], group.difference):
                break
            since[node] = began
    return since


def _same(document: Mapping[str, Any], difference: Difference) -> bool:
    hidden = gap_at(document, difference.path) is not None
    return not hidden and (value_at(document, difference.path) or None) == (difference.after or None)


def _unread(group: _Group) -> Unread:
    return Unread(
        facet=group.facet,
        field=to_text(group.difference.path),
        reason=str(group.difference.after),
        nodes=natural_sorted(group.since),
    )


def _clones(held: Collection[Held], wanted: Collection[str]) -> Iterator[Clone]:
    """Values of identity that stand on more than one node; the others may be outside the selection."""
    patterns = [from_text(pattern)[1:] for pattern in UNIQUE]
    nodes: dict[tuple[Path, str], set[str]] = {}
    for each in held:
        for path, value in leaves(each.document.get("data")):
            if any(len(pattern) == len(path) and covers(pattern, path) for pattern in patterns):
                nodes.setdefault((path, str(value)), set()).update(each.since)
    for (path, value), found in sorted(nodes.items()):
        if len(found) > 1 and found & set(wanted):
            yield Clone(field=to_text(("identity", *path)), value=value, nodes=natural_sorted(found))
