"""A day of alerts in one document."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sparkctl.app.alert_desk import Desk, telling_of
from sparkctl.app.alert_mutes import muted_nodes, mutes_at
from sparkctl.app.alert_view import alerts_of
from sparkctl.app.telling import Say
from sparkctl.errors import ExitCode, UsageError
from sparkctl.model.alert import AlertDigest, AlertState, DigestRun
from sparkctl.store.alerts import TELLING
from sparkctl.store.entries import RunEntry, RunState
from sparkctl.store.store import Store

MOST_RUNS = 2000
"""Runs of the time of a digest that are looked at, the newest first."""


def digest(desk: Desk, length: timedelta, now: datetime) -> AlertDigest:
    """What became of alerts in the time before now; raises UsageError and StoreError."""
    since, fleet = now - length, desk.fleet
    with desk.store() as store:
        muted = muted_nodes(mutes_at(store, desk.rules, fleet, now)[0])
        alerts = alerts_of(store.alerts.book(resolved_since=since), muted)
        told = {change.fingerprint for change in store.alerts.changes(since=since) if change.previous == "new"}
        runs = _runs(store, since)
        nodes = [node.node_id for node in fleet.nodes] if fleet else []
        visits = store.newest_visits(nodes)
    going_on = [alert for alert in alerts if alert.state is not AlertState.RESOLVED]
    spoken_of = [alert for alert in going_on if alert.state is not AlertState.NEW]
    return AlertDigest(
        since=since,
        until=now,
        simulated=any(alert.simulated for alert in alerts) or any(run.report.simulated for run in runs if run.report),
        runs=list(_by_kind(runs)),
        nodes=len(nodes),
        unvisited=[name for name in nodes if name not in visits or visits[name].at < since],
        new=[alert for alert in spoken_of if alert.fingerprint in told],
        open=[alert for alert in spoken_of if alert.fingerprint not in told],
        resolved=[alert for alert in alerts if alert.state is AlertState.RESOLVED and alert.told],
        flapping=[alert for alert in going_on if alert.flapping],
        muted=[alert for alert in going_on if alert.muted is not None],
        not_seen=[alert for alert in going_on if alert.unseen],
    )


def send_digest(desk: Desk, found: AlertDigest, say: Say) -> ExitCode:
    """Put a digest into the outbox and deliver what waits there; SINK_FAILED when a sink did not take all.

    Raises UsageError when no sink is to get digests.
    """
    telling = telling_of(desk)
    letters = telling.of_digest(found)
    if not letters:
        raise UsageError("no sink gets digests", hint="name one in sinks.yaml: sparkctl help sinks")
    with desk.store() as store:
        store.outbox.put(letters, telling.spools)
    return telling.deliver(desk.places.state, ExitCode.OK, None, say)


def _runs(store: Store, since: datetime) -> list[RunEntry]:
    return [run for run in store.runs(MOST_RUNS) if run.started_at >= since and run.kind in TELLING]


def _by_kind(runs: Iterable[RunEntry]) -> Iterable[DigestRun]:
    by_kind: dict[str, list[RunEntry]] = {}
    for run in runs:
        by_kind.setdefault(run.kind.value, []).append(run)
    for kind, alike in sorted(by_kind.items()):
        yield DigestRun(
            kind=kind,
            runs=len(alike),
            interrupted=sum(run.state is RunState.INTERRUPTED for run in alike),
            asked=sum(run.selected for run in alike),
            reported=sum(run.report.reported if run.report else 0 for run in alike),
        )
