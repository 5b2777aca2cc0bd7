"""Who is muted at a moment, and why: by mutes that somebody made, and by the windows of the rules file."""

from collections.abc import Iterable
from datetime import datetime

from sparkctl.errors import UsageError
from sparkctl.inventory.selector import select
from sparkctl.model.alert import Mute
from sparkctl.model.alert_rules import AlertRules
from sparkctl.model.inventory import Fleet
from sparkctl.store.store import Store


def mutes_at(store: Store, rules: AlertRules, fleet: Fleet | None, at: datetime) -> tuple[list[Mute], list[str]]:
    """The mutes and windows that hold at a moment, and what is wrong with windows, which then mute nobody."""
    found, troubles = store.alerts.mutes(at), list[str]()
    for window in rules.windows:
        span = window.at(at)
        if span is None or fleet is None:
            continue
        try:
            nodes = [node.node_id for node in select(fleet, window.selector)]
        except UsageError as error:
            troubles.append(f"the window {window.name} mutes nobody: {error.message}")
            continue
        begins, ends = span
        found.append(
            Mute(
                number=None,
                selector=window.selector,
                nodes=nodes,
                begins=begins,
                ends=ends,
                reason=f"{window.name}: {window.reason}",
                by=None,
            )
        )
    return found, troubles


def muted_nodes(mutes: Iterable[Mute]) -> dict[str, str]:
    """The reason by node; of several, that of the mute that ends last."""
    by_end = sorted(mutes, key=lambda mute: mute.ends)
    return {node: mute.reason for mute in by_end for node in mute.nodes}
