"""The report of a fleet: what the store knows of the selected nodes, told once for every kind of paper."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.baseline_file import BASELINE_NAME
from sparkctl.app.drift import drift
from sparkctl.app.places import Places
from sparkctl.app.report_alerts import open_alerts
from sparkctl.app.report_changes import fold_changes, status_changes
from sparkctl.app.report_ends import ends_of
from sparkctl.app.report_facts import FleetFacts, fleet_facts
from sparkctl.app.report_fold import FleetFold
from sparkctl.app.report_node import Beside, node_page
from sparkctl.app.report_trends import Trends, fleet_trends
from sparkctl.app.standings import standings
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.baseline import Clone
from sparkctl.model.contacts import Contacts
from sparkctl.model.fleet_page import (
    AgainstBaseline,
    FleetPage,
    FoldedDrift,
    RunGoingOn,
)
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.node_page import NodeChange, NodePage, PageEnd
from sparkctl.model.printable import printable
from sparkctl.model.standing import NodeStanding
from sparkctl.report.words import brief
from sparkctl.store.store import Store

MAX_AGE = timedelta(hours=26)
"""A judgement older than this is stale: daily sweeps with their splay are not."""

WINDOW = timedelta(days=7)
"""How far back changes, ends of boots and trends are told."""

MOST_ENDS, MOST_DRIFT = 200, 40
OnNode = Callable[[NodePage], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """What to report on, and as of when; `trends` cost a record for each node and moment."""

    places: Places
    selector: str = "all"
    max_age: timedelta = MAX_AGE
    window: timedelta = WINDOW
    trends: bool = True


def report(request: ReportRequest, on_node: OnNode, now: datetime | None = None) -> FleetPage:
    """Build the page of the fleet; `on_node` gets the page of each node, in the order of the fleet, as it is made.

    No node is asked. Memory holds brief facts of all nodes, but the records of one. A store that is not there yet is an
    empty one. Raises UsageError for the inventory, the selector or a baseline, and StoreError.
    """
    fleet = load_fleet(request.places.fleet)
    nodes = select(fleet, request.selector) if fleet.nodes else []
    with known_store(request.places) as store:
        return _Report(request, fleet, nodes, store, now or datetime.now(UTC)).page(on_node)


@contextlib.contextmanager
def known_store(places: Places) -> Iterator[Store]:
    """The store of the state folder; an empty one in its place where nothing was ever run."""
    if (places.state / "state.db").exists():
        with Store.open(places.state, create=False) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as name, Store.open(Path(name) / "state") as store:
        yield store


@dataclass
class History:
    """What is known of a fleet beside its newest visits, changes by node."""

    facts: FleetFacts = field(default_factory=FleetFacts)
    trends: Trends = field(default_factory=Trends)
    changes: dict[str, list[NodeChange]] = field(default_factory=dict)
    ends: list[PageEnd] = field(default_factory=list)


class _Report:
    def __init__(
        self, request: ReportRequest, fleet: Fleet, nodes: Sequence[Node], store: Store, now: datetime
    ) -> None:
        self._request, self._fleet, self._nodes, self._store, self._now = request, fleet, nodes, store, now
        self._names = [node.node_id for node in nodes]
        self._since = now - request.window

    def page(self, on_node: OnNode) -> FleetPage:
        """Go through the nodes once."""
        history, contacts, fold = self._history(), self._store.contacts(self._names), FleetFold()
        for standing in standings(self._store, self._nodes, ()):
            page = self._node(standing, history, contacts.get(standing.node.node_id, ()))
            fold.add(page)
            on_node(page)
        return told(self._request, self._fleet, self._store, self._now, fold, history=history)

    def _history(self) -> History:
        facts = fleet_facts(self._store, self._names, self._since)
        late = status_changes(self._store.late_changes(self._names, self._since))
        return History(
            facts=facts,
            trends=fleet_trends(self._store, self._names, self._since) if self._request.trends else Trends(),
            changes=_joined(late, facts.changes.by_node()),
        )

    def _node(self, standing: NodeStanding, history: History, contacts: Sequence[Contacts]) -> NodePage:
        name, facts = standing.node.node_id, history.facts
        ends = ends_of(self._store, name, standing.reset, contacts, self._since)
        history.ends += ends
        beside = Beside(
            make=facts.makes.get(name),
            facts_at=facts.oldest(name),
            facts=facts.facts.get(name, ()),
            gaps=facts.gaps.get(name, ()),
            never_collected=facts.never_collected(name),
            changes=history.changes.get(name, ()),
            ends=ends,
            series=history.trends.series(name),
        )
        return node_page(standing, self._now, self._request.max_age, beside)


def told(
    request: ReportRequest, fleet: Fleet, store: Store, now: datetime, fold: FleetFold, *, history: History
) -> FleetPage:
    """The page of the fleet when all of its nodes were seen."""
    facts, trends = history.facts, history.trends
    hands, watch = fold.hands()
    changes, changes_left = fold_changes([cell.node_id for cell in fold.cells], history.changes)
    ends = sorted(history.ends, key=lambda one: (one.before or one.after or now, one.node), reverse=True)
    code = fold.exit_code()
    names = [cell.node_id for cell in fold.cells]
    return FleetPage(
        tool=f"sparkctl {__version__}",
        made_at=now,
        selector=printable(request.selector),
        max_age_s=round(request.max_age.total_seconds()),
        since=now - request.window,
        simulated=fold.simulated,
        statuses=fold.statuses,
        alerts=open_alerts(store, names, request.places, fleet, now),
        hands=hands,
        watch=watch,
        coverage=fold.coverage(runs_going_on(store, fleet)),
        cells=fold.cells,
        against_baseline=against_baseline(request.places, request.selector) if facts.versions else None,
        clones=list(_clones(store, names)) if facts.versions else [],
        changes=changes,
        changes_left_out=changes_left,
        ends=ends[:MOST_ENDS],
        ends_left_out=max(0, len(ends) - MOST_ENDS),
        moments=trends.moments,
        trends=trends.told(),
        versions=facts.versions,
        unread=facts.unread,
        ages=list(fold.ages(now, facts.seen)),
        exit_code=code,
        exit_name=code.name.lower(),
    )


def _joined(*found: dict[str, list[NodeChange]]) -> dict[str, list[NodeChange]]:
    """The changes of each node of several kinds, the newest first."""
    joined: dict[str, list[NodeChange]] = {}
    for changes in found:
        for node, each in changes.items():
            joined.setdefault(node, []).extend(each)
    for each in joined.values():
        each.sort(key=lambda one: one.at, reverse=True)
    return joined


def runs_going_on(store: Store, fleet: Fleet) -> list[RunGoingOn]:
    """The runs that have not ended, and whose visits are not stored yet."""
    return [
        RunGoingOn(
            run_id=run.run_id,
            kind=run.kind.value,
            selector=printable(run.selector),
            started_at=run.started_at,
            selected=run.selected,
            recorded=run.recorded,
            waiting=_waiting(store, fleet, run.run_id, run.selector, run.selected),
        )
        for run in store.running()
    ]


def _waiting(store: Store, fleet: Fleet, run_id: str, selector: str, selected: int) -> list[str]:
    """The nodes of a run that are not stored; none where the inventory or the run leaves open who they are."""
    try:
        nodes = [node.node_id for node in select(fleet, selector)]
    except UsageError:
        return []
    if len(nodes) != selected:  # a shard, a run that took up another, or another inventory
        return []
    recorded = store.recorded_nodes(run_id)
    return [node for node in nodes if node not in recorded]


def _clones(store: Store, names: Sequence[str]) -> Iterator[Clone]:
    """Values that should be one machine's alone and stand on several of the nodes."""
    place = {name: at for at, name in enumerate(names)}
    for (name, value), holders in sorted(store.shared_identifiers().items()):
        nodes = sorted(holders & place.keys(), key=place.__getitem__)
        if len(nodes) > 1:
            yield Clone(field=name, value=value, nodes=nodes)


def against_baseline(places: Places, selector: str) -> AgainstBaseline | None:
    """The fleet held against the baseline of the state folder; None where there is none."""
    if not (places.state / BASELINE_NAME).exists() or not (places.state / "state.db").exists():
        return None
    found = drift(places, selector, None, None)
    told = [
        FoldedDrift(
            field=printable(f"{one.facet}.{one.field}"),
            expected=None if one.expected is None else printable(brief(one.expected, 80)),
            observed=None if one.observed is None else printable(brief(one.observed, 80)),
            nodes=one.nodes,
            since=one.since,
            until=one.until,
        )
        for one in found.drift[:MOST_DRIFT]
    ]
    return AgainstBaseline(
        baseline=printable(found.baseline),
        made_at=found.at,
        compared=found.compared,
        not_compared=found.uncollected,
        drift=told,
        left_out=max(0, len(found.drift) - MOST_DRIFT),
    )
