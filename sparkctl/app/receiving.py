"""A delivery: its files read, matched four ways, and brought to the nodes of the inventory."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.node_states import entries_of, store_of
from sparkctl.app.places import Places
from sparkctl.app.receiving_files import read_notices, read_orders, read_scans
from sparkctl.app.receiving_observed import observed_in_file, observed_in_store
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.lifecycle.labels import read_label
from sparkctl.lifecycle.match_group import serial_key
from sparkctl.lifecycle.matching import match
from sparkctl.lifecycle.standing import Standing, standings
from sparkctl.model.inventory import Fleet
from sparkctl.model.lifecycle import LifecycleState as State
from sparkctl.model.receiving import NoticeRow, Observation, ReceivingReport, ScanRow

COMING = frozenset({State.UNRECORDED, State.EXPECTED, State.RECEIVED, State.QUARANTINED})
"""The states in which a machine may be one of a delivery."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the papers of a delivery are; observed is a selector of nodes of the store, or a file, or nothing."""

    order: Path
    notice: Path
    scans: Path | None
    observed: str | None = None
    observed_file: Path | None = None

    @property
    def files(self) -> list[Path]:
        """The files, order first."""
        return [path for path in (self.order, self.notice, self.scans, self.observed_file) if path is not None]


def match_delivery(places: Places, delivery: Delivery) -> ReceivingReport:
    """Match a delivery; raises UsageError for files that are no good, StoreError where facts cannot be read."""
    orders, notices = read_orders(delivery.order), read_notices(delivery.notice)
    scans = read_scans(delivery.scans) if delivery.scans else []
    fleet = fleet_if_any(places, needed=delivery.observed is not None)
    observed: list[Observation] = []
    if delivery.observed is not None and fleet is not None:
        observed = observed_in_store(places, fleet, delivery.observed)
    if delivery.observed_file is not None:
        observed += observed_in_file(delivery.observed_file, fleet)
    coming = _coming(places, observed, notices, scans)
    report = match(orders, notices, scans, coming, left_out=len(observed) - len(coming))
    return _with_nodes(report, fleet)


def fleet_if_any(places: Places, *, needed: bool) -> Fleet | None:
    """The inventory; None where there is none and none is needed."""
    try:
        path = places.fleet
    except UsageError:
        if needed:
            raise
        return None
    return load_fleet(path)


def _coming(
    places: Places, observed: list[Observation], notices: Iterable[NoticeRow], scans: Iterable[ScanRow]
) -> list[Observation]:
    """Those that may be of this delivery: whoever is in its papers, and whoever was never taken in."""
    if not observed:
        return []
    on_paper = {serial_key(notice.serial) for notice in notices}
    on_paper |= {serial for scan in scans for serial in read_label(scan).serials}
    with store_of(places.state) as store:
        recorded = standings(entries_of(store))

    def belongs(one: Observation) -> bool:
        serials = {serial_key(serial) for serial in (one.serial, one.enrolled) if serial}
        return bool(serials & on_paper) or recorded.get(one.node_id, Standing(one.node_id)).state in COMING

    return [one for one in observed if belongs(one)]


def _with_nodes(report: ReceivingReport, fleet: Fleet | None) -> ReceivingReport:
    """Units that were not observed belong to the node that their serial is enrolled for."""
    nodes = {serial_key(node.serial): node for node in fleet.nodes if node.serial} if fleet else {}
    units = []
    for unit in report.units:
        node = nodes.get(unit.serial) if unit.serial and unit.node_id is None else None
        found = {"node_id": node.node_id, "simulated": node.simulated} if node else {}
        units.append(unit.model_copy(update=found) if found else unit)
    simulated = any(unit.simulated for unit in units)
    return report.model_copy(update={"units": units, "simulated": simulated})
