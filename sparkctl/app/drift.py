"""Hold what is known of nodes against a baseline."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Any

from sparkctl import __version__
from sparkctl.app.ages import ages_of
from sparkctl.app.baseline_file import BASELINE_NAME, NAMESPACE, BaselineFile, read_baseline
from sparkctl.app.places import Places
from sparkctl.app.signing import verify
from sparkctl.app.since import Holding, since_when
from sparkctl.errors import ExitCode
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.baseline import Clone, Drift, DriftReport, Unread
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.difference import Difference, Kind, differences, pruned
from sparkctl.model.facets.paths import Path, covers, from_text, matches, to_text
from sparkctl.store.entries import Held
from sparkctl.store.store import Store

_DRIFTED = (Kind.CHANGED, Kind.APPEARED, Kind.DISAPPEARED)


@dataclass
class _Group:
    """The documents of a facet in which one field is otherwise in the same way, with their nodes."""

    facet: str
    difference: Difference
    holdings: list[Holding] = field(default_factory=list)

    def nodes(self, place: Mapping[str, int]) -> list[str]:
        """The nodes in the order of the fleet."""
        return sorted((node for each in self.holdings for node in each.since), key=place.__getitem__)


def drift(
    places: Places,
    selector: str,
    baseline: FilePath | None,
    allowed_signers: FilePath | None,
    max_age: timedelta | None = None,
) -> DriftReport:
    """Compare the selected nodes; raises UsageError, StoreError, RefusedError for a signature that does not hold.

    Nodes of which a facet of the baseline was seen longer ago than `max_age` are stale, and not compared. Clones are
    found by what was known last, however old.
    """
    path = baseline or places.state / BASELINE_NAME
    expected = read_baseline(path)
    signer = verify(path, expected.content, allowed_signers, NAMESPACE) if allowed_signers else None
    fleet = load_fleet(places.fleet)
    # A fleet is in natural order: what is sorted once need not be sorted for every group.
    place = {node.node_id: at for at, node in enumerate(fleet.nodes)}
    selected = [node.node_id for node in select(fleet, selector)]
    wanted = set(selected)
    with Store.open(places.state, create=False) as store:
        held = {facet: store.held(facet) for facet in expected.baseline.facets}
        ages = ages_of([each for found in held.values() for each in found], wanted, max_age)
        fresh = wanted - ages.stale
        groups = [group for facet, found in held.items() for group in _groups(expected, facet, found, fresh)]
        collected = [{node for each in found for node in each.since} for found in held.values()]
        # Clones are found by identity, whatever the baseline expects.
        uncollected = wanted - store.collected("identity").intersection(*collected)
        clones = list(_clones(store.shared_identifiers(), wanted, place))
        drifted = list(_told(store, [group for group in groups if group.difference.kind in _DRIFTED], place))
    unread = [_unread(group, place) for group in groups if group.difference.kind is Kind.UNREADABLE]
    code = _exit_code(found=bool(drifted or clones), unknown=bool(uncollected or ages.stale or unread or not wanted))
    return DriftReport(
        tool=f"sparkctl {__version__}",
        at=datetime.now(UTC),
        baseline=str(path),
        baseline_sha256=hashlib.sha256(expected.content).hexdigest(),
        signed_by=signer,
        selector=selector,
        selected=len(selected),
        nodes=selected,
        compared=len(fresh - uncollected),
        uncollected=sorted(uncollected, key=place.__getitem__),
        max_age_s=ages.max_age_s,
        stale=sorted(ages.stale, key=place.__getitem__),
        oldest=ages.oldest,
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
    ignored = [pattern[1:] for pattern in patterns if pattern[0] == facet]
    ours = {"data": pruned(expected.baseline.facets[facet], ignored), "gaps": {}}
    groups: dict[bytes, _Group] = {}
    for each in held:
        holding = Holding({node: moment for node, moment in each.since.items() if node in wanted})
        theirs = {**each.document, "data": pruned(each.document.get("data"), ignored)}
        for difference in differences(ours, theirs) if holding.since else ():
            if difference.kind is Kind.UNREADABLE and not _is_expected(difference.path, ours["data"], ignored):
                continue  # a gap that nobody asked about
            key = canonical_json([*difference.path, difference.kind.value, difference.after])
            groups.setdefault(key, _Group(facet, difference)).holdings.append(holding)
    return list(groups.values())


def _is_expected(gap: Path, data: Mapping[str, Any], ignored: Collection[Path]) -> bool:
    """Whether a gap hides something that the baseline expects."""
    return not any(covers(pattern, gap) for pattern in ignored) and any(True for _ in matches(gap, data))


def _told(store: Store, groups: Collection[_Group], place: Mapping[str, int]) -> Iterator[Drift]:
    """The groups, each with the time since when it is so; each facet is looked up once."""
    facets = {group.facet for group in groups}
    for facet in facets:
        mine = [group for group in groups if group.facet == facet]
        moments = since_when(store, facet, [(group.difference, group.holdings) for group in mine])
        for group, (since, until) in zip(mine, moments, strict=True):
            difference = group.difference
            yield Drift(
                facet=facet,
                field=to_text(difference.path),
                kind=difference.kind,
                expected=difference.before,
                observed=difference.after,
                nodes=group.nodes(place),
                since=since,
                until=until,
            )


def _unread(group: _Group, place: Mapping[str, int]) -> Unread:
    return Unread(
        facet=group.facet,
        field=to_text(group.difference.path),
        reason=str(group.difference.after),
        nodes=group.nodes(place),
    )


def _clones(
    shared: Mapping[tuple[str, str], AbstractSet[str]], wanted: AbstractSet[str], place: Mapping[str, int]
) -> Iterator[Clone]:
    """Values of identity that stand on more than one node of the fleet, one of them selected.

    A value counts wherever it stands: a drive that moved to another slot is the same drive.
    """
    for (name, value), holders in sorted(shared.items()):
        found = holders & place.keys()
        if len(found) > 1 and found & wanted:
            yield Clone(field=name, value=value, nodes=sorted(found, key=place.__getitem__))
