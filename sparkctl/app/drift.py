"""Hold what is known of nodes against a baseline."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from sparkctl.errors import ExitCode
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.baseline import Clone, Drift, DriftReport, Unread
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.difference import Difference, Gaps, Kind, differences, equal, pruned, value_at
from sparkctl.model.facets.individual import UNIQUE
from sparkctl.model.facets.paths import Path, covers, from_text, matches, to_text, values
from sparkctl.store.entries import Held
from sparkctl.store.store import Store

_RECENT = 8  # an eighth of all runs, where most nodes changed last
_DRIFTED = (Kind.CHANGED, Kind.APPEARED, Kind.DISAPPEARED)


@dataclass
class _Group:
    """Nodes on which one field is otherwise in the same way, each with the moment its present facet began."""

    facet: str
    difference: Difference
    since: dict[str, datetime] = field(default_factory=dict)


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
        held = {facet: store.held(facet) for facet in {*expected.baseline.facets, "identity"}}
        ages = ages_of([each for facet in expected.baseline.facets for each in held[facet]], wanted, max_age)
        fresh = wanted - ages.stale
        groups = [group for facet in expected.baseline.facets for group in _groups(expected, facet, held[facet], fresh)]
        # Clones are found by identity, whatever the baseline expects.
        collected = [{node for each in held[facet] for node in each.since} for facet in held]
        uncollected = {node for node in wanted if any(node not in known for known in collected)}
        drifted = list(_told(store, [group for group in groups if group.difference.kind in _DRIFTED], place))
    unread = [_unread(group, place) for group in groups if group.difference.kind is Kind.UNREADABLE]
    clones = list(_clones(held["identity"], wanted, place))
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
        nodes = {node: moment for node, moment in each.since.items() if node in wanted}
        theirs = {**each.document, "data": pruned(each.document.get("data"), ignored)}
        for difference in differences(ours, theirs) if nodes else ():
            if difference.kind is Kind.UNREADABLE and not _is_expected(difference.path, ours["data"], ignored):
                continue  # a gap that nobody asked about
            key = canonical_json([*difference.path, difference.kind.value, difference.after])
            groups.setdefault(key, _Group(facet, difference)).since.update(nodes)
    return list(groups.values())


def _is_expected(gap: Path, data: Mapping[str, Any], ignored: Collection[Path]) -> bool:
    """Whether a gap hides something that the baseline expects."""
    return not any(covers(pattern, gap) for pattern in ignored) and any(True for _ in matches(gap, data))


def _told(store: Store, groups: Collection[_Group], place: Mapping[str, int]) -> Iterator[Drift]:
    """The groups, each with the time since when it is so; each facet is looked up once."""
    facets = {group.facet for group in groups}
    for facet in facets:
        mine = [group for group in groups if group.facet == facet]
        since = _since_when(store, facet, mine)
        for group, began in zip(mine, since, strict=True):
            difference = group.difference
            yield Drift(
                facet=facet,
                field=to_text(difference.path),
                kind=difference.kind,
                expected=difference.before,
                observed=difference.after,
                nodes=sorted(group.since, key=place.__getitem__),
                since=min(began),
                until=max(began),
            )


def _since_when(store: Store, facet: str, groups: Collection[_Group]) -> list[list[datetime]]:
    """For each group, when each of its nodes first had the value that it has, as far back as it had it unbroken.

    Most changes are young: the last runs tell of most nodes, and the whole past is read of the others alone.
    """
    compared = [(group, _Sameness(group.difference)) for group in groups]
    past = store.past(facet, {node for group in groups for node in group.since}, share=_RECENT)
    known = store.facet_documents({document for spans in past.values() for _, document in spans})
    unbroken = {
        node
        for group, same in compared
        for node in group.since
        if all(same.holds(document, known) for _, document in past.get(node, ()))
    }
    older = store.past(facet, unbroken)
    past |= older
    known |= store.facet_documents({document for spans in older.values() for _, document in spans} - known.keys())
    found = [[_began(since, past.get(node, ()), same, known) for node, since in group.since.items()]
             for group, same in compared]  # fmt: skip
    starts = store.run_starts({moment for each in found for moment in each if isinstance(moment, int)})
    return [[starts[moment] if isinstance(moment, int) else moment for moment in each] for each in found]


class _Sameness:
    """Whether a document has the value of a difference; many nodes had the same documents."""

    def __init__(self, difference: Difference) -> None:
        self._difference = difference
        self._found: dict[int, bool] = {}

    def holds(self, document: int, known: Mapping[int, Mapping[str, Any]]) -> bool:
        """Look at a document once."""
        if document not in self._found:
            self._found[document] = _same(known[document], self._difference)
        return self._found[document]


def _began(
    since: datetime, spans: Sequence[tuple[int, int]], same: _Sameness, known: Mapping[int, Mapping[str, Any]]
) -> datetime | int:
    """When a node first had its value: the start of what holds now, or the number of an earlier run."""
    began: datetime | int = since
    for run, document in reversed(spans):
        if not same.holds(document, known):
            break
        began = run
    return began


def _same(document: Mapping[str, Any], difference: Difference) -> bool:
    hidden = Gaps(document).at(difference.path) is not None
    return not hidden and equal(value_at(document, difference.path), difference.after)


def _unread(group: _Group, place: Mapping[str, int]) -> Unread:
    return Unread(
        facet=group.facet,
        field=to_text(group.difference.path),
        reason=str(group.difference.after),
        nodes=sorted(group.since, key=place.__getitem__),
    )


def _clones(held: Collection[Held], wanted: AbstractSet[str], place: Mapping[str, int]) -> Iterator[Clone]:
    """Values of identity that stand on more than one node of the fleet, one of them selected.

    A value counts wherever it stands: a drive that moved to another slot is the same drive.
    """
    of_fleet = [(each, nodes) for each in held if (nodes := each.since.keys() & place.keys())]
    for pattern in sorted(UNIQUE):
        fields = from_text(pattern)[1:]
        first: dict[Any, set[str]] = {}
        shared: dict[Any, set[str]] = {}
        for each, nodes in of_fleet:
            for value in values(fields, each.document.get("data")):
                known = first.setdefault(value, nodes)
                if known is not nodes or len(nodes) > 1:
                    shared.setdefault(value, set(known)).update(nodes)
        for value, found in sorted(shared.items()):
            if len(found) > 1 and found & wanted:
                yield Clone(field=pattern, value=str(value), nodes=sorted(found, key=place.__getitem__))
