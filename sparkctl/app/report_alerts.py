"""The alerts of the store on the page of the fleet."""

from collections.abc import Collection
from datetime import datetime

from sparkctl.app.alert_mutes import muted_nodes, mutes_at
from sparkctl.app.alert_rules_file import read_rules, rules_file
from sparkctl.app.alert_view import alerts_of
from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.model.alert import Alert, AlertState
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.fleet_page import OpenAlert
from sparkctl.model.inventory import Fleet
from sparkctl.model.printable import clip
from sparkctl.store.store import Store


def open_alerts(store: Store, nodes: Collection[str], places: Places, fleet: Fleet, now: datetime) -> list[OpenAlert]:
    """What was told and is not over on any of these nodes, what nobody has acknowledged first."""
    wanted = set(nodes)
    muted = muted_nodes(mutes_at(store, _rules(places), fleet, now)[0])
    found = [
        alert
        for alert in alerts_of(store.alerts.book(), muted)
        if alert.told and alert.state in (AlertState.OPEN, AlertState.ACKNOWLEDGED) and wanted & set(alert.nodes)
    ]
    return [_on_page(alert, wanted) for alert in found]


def _rules(places: Places) -> AlertRules:
    """The rules in force. Of a file that cannot be read no window is known: the page then shows more as not muted."""
    try:
        return read_rules(rules_file(None, places.environ, places.fleet))
    except UsageError:
        return AlertRules()


def _on_page(alert: Alert, wanted: Collection[str]) -> OpenAlert:
    taken = f" (acknowledged by {alert.acknowledged.by})" if alert.acknowledged else ""
    muted = f" (muted: {alert.muted})" if alert.muted else ""
    return OpenAlert(
        title=alert.subject,
        nodes=[node for node in alert.nodes if node in wanted],
        since=alert.since,
        words=clip(f"{alert.summary}{taken}{muted}"),
        action=alert.action,
    )
