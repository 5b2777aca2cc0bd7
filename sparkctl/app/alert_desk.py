"""What operators do with alerts: look at them, acknowledge them, mute nodes, and check the rules."""

import getpass
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from sparkctl.app.alert_mutes import muted_nodes, mutes_at
from sparkctl.app.alert_rules_file import FILE_NAME, FILE_VARIABLE, examine_rules, read_rules, rules_file
from sparkctl.app.alert_view import alerts_of
from sparkctl.app.catalogue import catalogue
from sparkctl.app.places import Places
from sparkctl.app.sink_file import plan_at
from sparkctl.app.telling import Telling
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.selector import select
from sparkctl.model.alert import Acknowledgement, Alert, AlertChange, AlertHistory, AlertState, Mute
from sparkctl.model.alert_book import Advance, Book, Condition, RollUp
from sparkctl.model.alert_engine import acknowledge
from sparkctl.model.alert_rules import HOLD_WORDS, AlertRules
from sparkctl.model.inventory import Fleet, Problem
from sparkctl.model.printable import printable
from sparkctl.store.location import DATABASE_NAME
from sparkctl.store.store import Store

SHORTEST = 4
"""Characters that a fingerprint may be shortened to, if no other begins so."""

A_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Desk:
    """A store of alerts with the inventory and the rules that go with it; without an inventory there are no windows."""

    places: Places
    rules_option: Path | None

    @property
    def fleet_file(self) -> Path | None:
        """The inventory, None where there is none."""
        try:
            return self.places.fleet
        except UsageError:
            return None

    @property
    def fleet(self) -> Fleet | None:
        """The inventory, read; None where there is none."""
        file = self.fleet_file
        return load_fleet(file) if file is not None else None

    @property
    def rules(self) -> AlertRules:
        """The rules in force. Raises UsageError."""
        return read_rules(self.rules_file)

    @property
    def rules_file(self) -> Path | None:
        """Their file, None where they are the defaults."""
        return rules_file(self.rules_option, self.places.environ, self.fleet_file)

    def store(self) -> Store:
        """The store, which must be there. Raises StoreError."""
        return Store.open(self.places.state, create=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """Alerts, the mutes that hold now, and what is wrong with windows."""

    alerts: list[Alert]
    mutes: list[Mute]
    troubles: list[str]

    @property
    def pressing(self) -> bool:
        """Whether something is open that nobody has acknowledged or muted."""
        return any(alert.state is AlertState.OPEN and alert.muted is None for alert in self.alerts)


def list_alerts(
    desk: Desk, selector: str | None, states: Collection[AlertState], since: timedelta | None, now: datetime
) -> Listed:
    """Alerts in some states (none named: all but resolved ones) on selected nodes, first seen, or resolved, since then.

    Resolved ones are those of the last day where nothing else is said. Raises UsageError and StoreError.
    """
    wanted = set(states) or {AlertState.NEW, AlertState.OPEN, AlertState.ACKNOWLEDGED}
    fleet = load_fleet(desk.places.fleet) if selector else desk.fleet
    nodes = {node.node_id for node in select(fleet, selector)} if selector and fleet else None
    resolved_since = now - (since or A_DAY) if AlertState.RESOLVED in wanted else None
    with desk.store() as store:
        mutes, troubles = mutes_at(store, desk.rules, fleet, now)
        book = store.alerts.book(resolved_since=resolved_since)
    found = [
        alert
        for alert in alerts_of(book, muted_nodes(mutes))
        if alert.state in wanted
        and (alert.told or alert.state is not AlertState.RESOLVED)
        and (nodes is None or nodes & set(alert.nodes))
        and (since is None or (alert.resolved_at or alert.since) >= now - since)
    ]
    return Listed(found, mutes, troubles)


def show_alert(desk: Desk, prefix: str, now: datetime) -> AlertHistory:
    """One alert with all that happened to it; raises UsageError when there is none, or several begin so."""
    fleet = desk.fleet
    with desk.store() as store:
        name = _named(store, prefix)
        muted = muted_nodes(mutes_at(store, desk.rules, fleet, now)[0])
        book = store.alerts.book([name])
        one = book.conditions.get(name)
        owner = one.group if one is not None and one.group is not None else name
        if owner not in book.roll_ups and owner not in book.conditions:
            book = store.alerts.book([name, owner])
        changes = list(store.alerts.changes(fingerprint=owner))
        if owner != name:
            changes = [*store.alerts.changes(fingerprint=name), *changes]
    alert = next(each for each in alerts_of(book, muted) if each.fingerprint == owner)
    return AlertHistory(alert=alert, changes=sorted(changes, key=lambda change: change.at))


def acknowledge_alerts(
    desk: Desk, prefixes: Sequence[str], *, by: str | None, note: str | None, now: datetime
) -> list[AlertChange]:
    """Note that somebody has taken alerts on; all of them or, with a UsageError, none."""
    words = Acknowledgement(by=_who(by), at=now, note=_printable(note, "--note") if note else None)
    fleet = desk.fleet
    known = {node.node_id for node in fleet.nodes} if fleet else None
    with desk.store() as store:
        names = {_named(store, prefix) for prefix in prefixes}

        def step(book: Book) -> Advance:
            for name in names:
                _require_open(book, name)
            return acknowledge(book, names, words, known)

        return list(store.alerts.change(names, step, telling_of(desk).of_alerts).changes)


def telling_of(desk: Desk) -> Telling:
    """The sinks of this command; what they are told waits in the outbox until the next run or `sinks send`."""
    plan = plan_at(desk.places)
    return Telling(plan, load_fleet(desk.places.fleet) if plan.sinks else Fleet(nodes=[], sources=[]))


def mute_nodes(desk: Desk, selector: str, length: timedelta, *, reason: str, by: str | None, now: datetime) -> Mute:
    """Tell nothing of some nodes for a while. Raises UsageError and StoreError."""
    nodes = [node.node_id for node in select(load_fleet(desk.places.fleet), selector)]
    mute = Mute(
        number=None,
        selector=_printable(selector, "SELECTOR"),
        nodes=nodes,
        begins=now,
        ends=now + length,
        reason=_printable(reason, "--reason"),
        by=_who(by),
    )
    # One that is there may be of an older version, in which a run goes on: only its lock lets that be brought to ours.
    new = not (desk.places.state / DATABASE_NAME).exists()
    with Store.open(desk.places.state, create=new) as store:
        return store.alerts.add_mute(mute)


def unmute(desk: Desk, number: int, now: datetime) -> Mute:
    """End a mute before its time; raises UsageError when there is none of that number."""
    with desk.store() as store:
        ended = store.alerts.end_mute(number, now)
    if ended is None:
        raise UsageError(f"no mute has the number {number}, or it has ended", hint="see: sparkctl alerts list")
    return ended


def check_rules(desk: Desk) -> list[Problem]:
    """Everything that is wrong with the rules file; raises UsageError when there is none."""
    path = desk.rules_file
    if path is None:
        raise UsageError(
            f"there is no {FILE_NAME} beside the inventory: the defaults hold",
            hint=f"name one with --rules or {FILE_VARIABLE}; docs/alerts.md has an example",
        )
    rules, found = examine_rules(path)
    if rules is None:
        return found
    problems, fleet = Problems(), desk.fleet
    for window in rules.windows:
        try:
            if fleet is not None:
                select(fleet, window.selector)
        except UsageError as error:
            where = Where(str(path), None, f"windows.{window.name}.selector")
            problems.warning(where, error.message, error.hint or "Correct it, or the window mutes nobody.")
    checks = [entry.check for entry in catalogue()]
    patterns = [("hold", rule.match) for rule in rules.holds if rule.match not in HOLD_WORDS]
    for key, pattern in (*patterns, *(("ignore", each) for each in rules.ignored)):
        if not any(fnmatchcase(check, pattern) for check in checks):
            where = Where(str(path), None, f"{key}.{pattern}")
            problems.warning(where, "no check of this version is called so", "See docs/checks.md for their names.")
    return [*found, *problems.listed()]


def _named(store: Store, prefix: str) -> str:
    wanted = prefix.lower()
    if len(wanted) < SHORTEST or not set(wanted) <= set("0123456789abcdef"):
        raise UsageError(
            f"{printable(prefix)!r} is no fingerprint of an alert",
            hint=f"give its first characters, {SHORTEST} or more: sparkctl alerts list",
        )
    found = store.alerts.named(wanted)
    if not found:
        raise UsageError(f"no alert has a fingerprint that begins with {wanted}", hint="see: sparkctl alerts list")
    if len(found) > 1:
        longer = ", ".join(name[: len(wanted) + SHORTEST] for name in found)
        raise UsageError(f"several alerts begin with {wanted}: {longer}", hint="give more characters")
    return found[0]


def _require_open(book: Book, name: str) -> None:
    owner: RollUp | Condition = book.roll_ups.get(name) or book.conditions[name]
    if isinstance(owner, Condition) and owner.group is not None and owner.resolved_at is None:
        raise UsageError(
            f"{name[:8]} is part of the alert {owner.group[:8]}, with other nodes",
            hint=f"acknowledge that: sparkctl alerts ack {owner.group[:8]}",
        )
    if owner.state is AlertState.RESOLVED:
        raise UsageError(f"{name[:8]} is resolved", hint="there is nothing to acknowledge")
    if owner.state is AlertState.NEW:
        raise UsageError(
            f"{name[:8]} was not told yet: it is held down or muted",
            hint="to hear nothing of it, mute its node: sparkctl alerts mute",
        )


def _who(by: str | None) -> str:
    if by is not None:
        return _printable(by, "--by", 120)
    try:
        return printable(getpass.getuser(), 120)
    except (KeyError, OSError) as error:
        raise UsageError("this user has no name", hint="say who you are: --by NAME") from error


def _printable(text: str, what: str, limit: int = 1000) -> str:
    if not text.strip() or printable(text, limit) != text:
        raise UsageError(f"{what} must be one printable line of at most {limit:,} characters")
    return text


def utc_now() -> datetime:
    """The bastion's clock."""
    return datetime.now(UTC)
