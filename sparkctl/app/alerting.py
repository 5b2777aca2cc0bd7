"""Alerts at the end of a run: whatever has ended and is not in the book is entered; what is new is told."""

from collections.abc import Mapping
from pathlib import Path

from sparkctl.app.alert_mutes import muted_nodes, mutes_at
from sparkctl.app.alert_rules_file import read_rules, rules_file
from sparkctl.app.alert_sightings import sight
from sparkctl.app.baseline_file import BASELINE_NAME, BaselineFile, read_baseline
from sparkctl.app.telling import Telling
from sparkctl.errors import SparkctlError
from sparkctl.model.alert import AlertChange, AlertNews
from sparkctl.model.alert_book import Advance, Book, Place
from sparkctl.model.alert_engine import advance
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.inventory import Fleet
from sparkctl.model.sink import SinkPlan
from sparkctl.store.store import Store

MOST_RUNS = 50
"""Runs that are caught up with at once: two days of hourly sweeps. What is older is no news any more."""


def update_alerts(
    store: Store, fleet: Fleet, fleet_file: Path, environ: Mapping[str, str], telling: Telling | None = None
) -> AlertNews:
    """Enter every run that has ended and is not in the book yet, and tell what is new.

    Nothing that can go wrong here undoes a run: it is among the troubles, and the next run catches up.
    """
    changes: list[AlertChange] = []
    troubles: list[str] = []
    try:
        entering = Entering(store, fleet, read_rules(rules_file(None, environ, fleet_file)), telling)
        troubles = entering.troubles
        waiting, left_out = store.alerts.waiting(MOST_RUNS)
        if left_out:
            store.alerts.leave_out(MOST_RUNS)
            troubles.append(f"{left_out:,} older runs are not told of: alerts catch up with {MOST_RUNS} at most")
        for run_id in waiting:
            changes += entering.enter(run_id)
    except SparkctlError as error:
        troubles.append(f"alerts were not updated, the next run catches up: {error.message}")
        troubles += [error.hint] if error.hint else []
    return AlertNews(changes=changes, troubles=list(dict.fromkeys(troubles)))


class Entering:
    """Enters runs into the book of a store; what goes wrong beside is kept in `troubles`, in words."""

    def __init__(self, store: Store, fleet: Fleet, rules: AlertRules, telling: Telling | None = None) -> None:
        self._store, self._fleet, self._rules = store, fleet, rules
        self._tell = (telling or Telling(SinkPlan(), fleet)).of_alerts
        self.troubles: list[str] = []
        self._places = places_of(fleet)
        self._baseline = self._read_baseline()

    def enter(self, run_id: str) -> list[AlertChange]:
        """Enter one run, once; what is to be told of it. Raises StoreError."""
        run = self._store.run(run_id)
        assert run is not None  # noqa: S101 - whoever calls has it from this store
        seen = sight(self._store, run, self._fleet, self._rules, self._baseline)
        mutes, wrong = mutes_at(self._store, self._rules, self._fleet, run.finished_at or run.started_at)
        self.troubles += wrong
        muted = muted_nodes(mutes)

        def step(book: Book) -> Advance:
            return advance(book, seen.against(book, muted, self._places), self._rules)

        return self._store.alerts.enter(run_id, seen.problems, step, self._tell).told

    def _read_baseline(self) -> BaselineFile | None:
        """The baseline of this state folder, whose values no alert is raised for."""
        path = self._store.folder / BASELINE_NAME
        if not path.exists():
            return None
        try:
            return read_baseline(path)
        except SparkctlError as error:
            self.troubles.append(f"the baseline does not count for alerts: {error.message}")
            return None


def places_of(fleet: Fleet) -> tuple[Place, ...]:
    """Racks, sites and power groups of several nodes; those of the same nodes are one place."""
    members: dict[str, set[str]] = {}
    for node in fleet.nodes:
        rack = f"rack {node.rack}" + (f" of site {node.site}" if node.site else "") if node.rack else None
        site = f"site {node.site}" if node.site else None
        power = f"power group {node.power_group}" if node.power_group else None
        for words in (rack, site, power):
            if words is not None:
                members.setdefault(words, set()).add(node.node_id)
    names: dict[frozenset[str], list[str]] = {}
    for words, nodes in members.items():
        if len(nodes) > 1:
            names.setdefault(frozenset(nodes), []).append(words)
    return tuple(Place(" and ".join(sorted(alike)), nodes) for nodes, alike in names.items())
