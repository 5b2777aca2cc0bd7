"""Alerts on disk: the book, what happened to it, mutes, and which runs are in it. All of a run, or nothing of it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from sparkctl.model.alert import AlertChange, Mute
from sparkctl.model.alert_book import Advance, Book, Condition, RollUp
from sparkctl.model.event import Addressed
from sparkctl.store.database import Database, chunks
from sparkctl.store.entries import RunKind, RunState
from sparkctl.store.outbox_put import put_events
from sparkctl.store.schema import alert_changes, alert_mutes, alert_runs, alerts, runs

Step = Callable[[Book], Advance]
"""From the book as it is to what is otherwise from now on."""

Tell = Callable[[Sequence[AlertChange]], Sequence[Addressed]]
"""From what happened to alerts to what goes into the outbox."""


def nobody(_changes: Sequence[AlertChange]) -> Sequence[Addressed]:
    """Put nothing into the outbox."""
    return ()


TELLING = (RunKind.HEALTH, RunKind.COLLECT, RunKind.RESET)
"""The runs that alerts are made of."""

_WAITING = (
    select(runs.c.id, runs.c.run_id)
    .where(runs.c.state != RunState.RUNNING, runs.c.kind.in_(TELLING))
    .where(runs.c.id.not_in(select(alert_runs.c.run)))
    .order_by(runs.c.id.desc())
)
_CONDITION, _ROLL_UP = "condition", "roll_up"
_CONDITIONS, _ROLL_UPS = TypeAdapter(Condition), TypeAdapter(RollUp)


class AlertStore:
    """The alerts of one store. Every method is one transaction, and may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, most: int) -> tuple[list[str], int]:
        """Runs that have ended and are not in the book, oldest first, and how many older ones are left out."""
        with self._database.reading() as connection:
            found = [row.run_id for row in connection.execute(_WAITING)]
        return found[:most][::-1], len(found[most:])

    def leave_out(self, most: int) -> None:
        """Never enter the runs that `waiting` leaves out."""
        with self._database.writing() as connection:
            if old := [{"run": row.id} for row in connection.execute(_WAITING)][most:]:
                connection.execute(insert(alert_runs), old)

    def enter(self, run_id: str, names: Collection[str], step: Step, tell: Tell = nobody) -> Advance:
        """Enter a run: `step` gets the book, with what was resolved of `names`, and is not called twice for a run.

        What `tell` makes of the changes is in the outbox when they are in the book.
        """
        with self._database.writing() as connection:
            run = connection.execute(select(runs.c.id).where(runs.c.run_id == run_id)).scalar_one()
            known = connection.execute(select(alert_runs.c.run).where(alert_runs.c.run == run)).first()
            after = step(replace(_book(connection, names), applied=[run_id] if known else []))
            if known is None:
                connection.execute(insert(alert_runs), {"run": run})
            _keep(connection, after)
            put_events(connection, tell(after.changes))
        return after

    def change(self, names: Collection[str], step: Step, tell: Tell = nobody) -> Advance:
        """Let a person change the book, and put into the outbox what `tell` makes of that."""
        with self._database.writing() as connection:
            after = step(_book(connection, names))
            _keep(connection, after)
            put_events(connection, tell(after.changes))
        return after

    def book(self, names: Collection[str] = (), resolved_since: datetime | None = None) -> Book:
        """What is not resolved; what was, of some names and since a moment."""
        with self._database.reading() as connection:
            return _book(connection, names, resolved_since)

    def named(self, prefix: str) -> list[str]:
        """The fingerprints that begin so, resolved or not; a few of them where they are many."""
        query = select(alerts.c.fingerprint).where(alerts.c.fingerprint.startswith(prefix, autoescape=True)).limit(8)
        with self._database.reading() as connection:
            return sorted(connection.execute(query).scalars())

    def changes(self, *, fingerprint: str | None = None, since: datetime | None = None) -> Iterator[AlertChange]:
        """What happened, to one alert or since a moment, oldest first."""
        query = select(alert_changes.c.body).order_by(alert_changes.c.id)
        if fingerprint is not None:
            query = query.where(alert_changes.c.fingerprint == fingerprint)
        if since is not None:
            query = query.where(alert_changes.c.at >= since)
        with self._database.reading() as connection:
            bodies = connection.execute(query).scalars().all()
        return (AlertChange.model_validate_json(body) for body in bodies)

    def add_mute(self, mute: Mute) -> Mute:
        """Keep a mute; what is kept has a number."""
        with self._database.writing() as connection:
            number = (connection.execute(select(func.max(alert_mutes.c.id))).scalar() or 0) + 1
            numbered = mute.model_copy(update={"number": number})
            row = {"id": number, "ends_at": mute.ends, "body": numbered.model_dump_json()}
            connection.execute(insert(alert_mutes), row)
        return numbered

    def end_mute(self, number: int, at: datetime) -> Mute | None:
        """End a mute now; None when there is none of that number that has not ended."""
        with self._database.writing() as connection:
            query = select(alert_mutes.c.body).where(alert_mutes.c.id == number, alert_mutes.c.ends_at > at)
            body = connection.execute(query).scalar()
            if body is None:
                return None
            ended = Mute.model_validate_json(body).model_copy(update={"ends": at})
            values = {"ends_at": at, "body": ended.model_dump_json()}
            connection.execute(update(alert_mutes).where(alert_mutes.c.id == number).values(values))
        return ended

    def mutes(self, at: datetime) -> list[Mute]:
        """The mutes that hold at a moment. One that a clock set back has in the future does not hold."""
        query = select(alert_mutes.c.body).where(alert_mutes.c.ends_at > at).order_by(alert_mutes.c.id)
        with self._database.reading() as connection:
            found = [Mute.model_validate_json(body) for body in connection.execute(query).scalars()]
        return [mute for mute in found if mute.begins <= at]


def _book(connection: Connection, names: Collection[str], resolved_since: datetime | None = None) -> Book:
    rows = list(connection.execute(select(alerts).where(alerts.c.resolved_at.is_(None))))
    if resolved_since is not None:
        rows += connection.execute(select(alerts).where(alerts.c.resolved_at >= resolved_since))
    found = {row.fingerprint for row in rows}
    for some in chunks([name for name in names if name not in found]):
        rows += connection.execute(select(alerts).where(alerts.c.fingerprint.in_(some)))
    conditions = {row.fingerprint: _condition(row.body, row.seen_at) for row in rows if row.form == _CONDITION}
    roll_ups = {row.fingerprint: _ROLL_UPS.validate_json(row.body) for row in rows if row.form == _ROLL_UP}
    return Book(conditions, roll_ups)


def _condition(body: str, seen_at: datetime) -> Condition:
    return replace(_CONDITIONS.validate_json(body), last_seen=seen_at)


def _keep(connection: Connection, after: Advance) -> None:
    rows = [
        _row(_CONDITION, name, one.resolved_at, _CONDITIONS.dump_json(one), one.last_seen)
        for name, one in after.conditions.items()
    ]
    rows += [_row(_ROLL_UP, name, each.resolved_at, _ROLL_UPS.dump_json(each)) for name, each in after.roll_ups.items()]
    if rows:
        for some in chunks([*after.conditions, *after.roll_ups]):
            connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(some)))
        connection.execute(insert(alerts), rows)
    again = [{"name": name, "at": after.at} for name in after.seen_again if name not in after.conditions]
    if again:
        here = alerts.c.fingerprint == bindparam("name")
        connection.execute(update(alerts).where(here).values(seen_at=bindparam("at")), again)
    if after.changes:
        connection.execute(
            insert(alert_changes),
            [
                {"fingerprint": change.fingerprint, "at": change.at, "body": change.model_dump_json()}
                for change in after.changes
            ],
        )


def _row(
    form: str, name: str, resolved_at: datetime | None, body: bytes, seen_at: datetime | None = None
) -> dict[str, object]:
    return {"fingerprint": name, "form": form, "seen_at": seen_at, "resolved_at": resolved_at, "body": body.decode()}
