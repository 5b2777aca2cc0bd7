"""Look at the store again and again: what is known now, read anew only for nodes of which there is something new."""

from datetime import UTC, datetime

from sparkctl.app.keys import Keys
from sparkctl.app.report import History, ReportRequest, known_store, told
from sparkctl.app.report_facts import FleetFacts
from sparkctl.app.report_fold import FleetFold
from sparkctl.app.report_node import judged_again, node_page
from sparkctl.app.standings import standings
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.fleet_page import FleetPage
from sparkctl.model.node_page import NodePage
from sparkctl.report.fleet_watch import WatchScreen
from sparkctl.store.entries import RunKind, VisitRef
from sparkctl.store.store import Store

QUIT = "qQ"
_Key = tuple[VisitRef | None, VisitRef | None]


class Watcher:
    """Reads the page of a fleet without its history; the inventory is the one of the beginning."""

    def __init__(self, request: ReportRequest) -> None:
        """Raises UsageError for the inventory and the selector."""
        self._request = request
        self._fleet = load_fleet(request.places.fleet)
        self._nodes = select(self._fleet, request.selector)
        self._names = [node.node_id for node in self._nodes]
        self._known: dict[str, tuple[_Key, NodePage]] = {}

    def look(self, now: datetime | None = None) -> FleetPage:
        """The page as of now; raises StoreError."""
        moment = now or datetime.now(UTC)
        with known_store(self._request.places) as store:
            self._refresh(store, moment)
            facts, fold = FleetFacts(seen={"facts": self._facts(store)}), FleetFold()
            for name in self._names:
                fold.add(judged_again(self._known[name][1], moment, self._request.max_age))
            return told(self._request, self._fleet, store, moment, fold, history=History(facts=facts))

    def _facts(self, store: Store) -> dict[str, datetime]:
        wanted = set(self._names)
        return {name: at for name, at in store.oldest_facts().items() if name in wanted}

    def _refresh(self, store: Store, now: datetime) -> None:
        last = store.newest_visits(self._names)
        health = store.newest_visits(self._names, RunKind.HEALTH, answered=True)
        keys: dict[str, _Key] = {name: (last.get(name), health.get(name)) for name in self._names}
        fresh = [node for node in self._nodes if self._known.get(node.node_id, (None,))[0] != keys[node.node_id]]
        for standing in standings(store, fresh, ()):
            name = standing.node.node_id
            self._known[name] = keys[name], node_page(standing, now, self._request.max_age)


def watch(watcher: Watcher, screen: WatchScreen, keys: Keys, seconds: float) -> None:
    """Show what is known every so many seconds, until somebody presses `q`."""
    while True:
        screen.show(watcher.look(), seconds)
        if keys.pressed(seconds) in QUIT:
            return
