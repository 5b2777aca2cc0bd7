"""The alerts of the store on the page of the fleet."""

from collections.abc import Collection

from sparkctl.app.alert_view import alerts_of
from sparkctl.model.alert import Alert, AlertState
from sparkctl.model.fleet_page import OpenAlert
from sparkctl.model.printable import clip
from sparkctl.store.store import Store


def open_alerts(store: Store, nodes: Collection[str]) -> list[OpenAlert]:
    """What was told and is not over on any of these nodes, what nobody has acknowledged first."""
    wanted = set(nodes)
    found = [
        alert
        for alert in alerts_of(store.alerts.book(), {})
        if alert.told and alert.state in (AlertState.OPEN, AlertState.ACKNOWLEDGED) and wanted & set(alert.nodes)
    ]
    return [_on_page(alert, wanted) for alert in found]


def _on_page(alert: Alert, wanted: Collection[str]) -> OpenAlert:
    taken = alert.acknowledged
    return OpenAlert(
        title=alert.subject,
        nodes=[node for node in alert.nodes if node in wanted],
        since=alert.since,
        words=clip(f"{alert.summary} (acknowledged by {taken.by})" if taken else alert.summary),
        action=alert.action,
    )
